using Althing.Api;
using Althing.Core.BillingGroups;
using Althing.Core.CaCertificates;
using Althing.Core.Certificates;
using Althing.Core.CustomAuthorizers;
using Althing.Core.DomainConfigurations;
using Althing.Core.Policies;
using Althing.Core.Provisioning;
using Althing.Core.Provisioning.Templates;
using Althing.Core.RoleAliases;
using Althing.Core.ThingGroups;
using Althing.Core.ThingTypes;
using Althing.Storage;

namespace Althing.Core.Tags;

/// <summary>The resources of IoT Core that can have tags ("Tagging your AWS IoT resources"). Things and certificates cannot.</summary>
sealed class Taggable(IStore store, IEnumerable<TaggedKind> others)
{
    /// <summary>What the tags of the resource are kept under; the batch gets the condition that the resource stays as it is.</summary>
    /// <exception cref="ServiceException">InvalidRequestException for an ARN that is none of such a resource of this account; ResourceNotFoundException.</exception>
    public async ValueTask<string> Require(Batch batch, string text, AccountId account, CancellationToken cancel)
    {
        var arn = Arn.Parse(text, Refuse.InvalidRequest);
        if (arn.Service != "iot" || arn.Account != account.Value)
            throw Refuse.InvalidRequest($"'{text}' is not the ARN of an IoT resource of account {account}.");
        var id = arn.ResourceId;
        return arn.ResourceType switch
        {
            "thinggroup" => await Found(batch, ThingGroup.Table, id) ? ThingGroupStore.TagKey(id) : throw NotFound(),
            "thingtype" => await Found(batch, ThingType.Table, id) ? ThingTypeStore.TagKey(id) : throw NotFound(),
            "billinggroup" => await Found(batch, BillingGroup.Table, id) ? BillingGroupStore.TagKey(id) : throw NotFound(),
            "policy" => await Found(batch, Policy.Table, id) ? PolicyStore.TagKey(id) : throw NotFound(),
            "authorizer" => await Found(batch, Authorizer.Table, id) ? Authorizer.TagKey(id) : throw NotFound(),
            "rolealias" => await Found(batch, RoleAlias.Table, id) ? RoleAlias.TagKey(id) : throw NotFound(),
            "cacert" => await Found(batch, CaCertificate.Table, id.ToLowerInvariant()) ? CaStore.TagKey(id.ToLowerInvariant()) : throw NotFound(),
            "provisioningtemplate" => await Found(batch, ProvisioningTemplate.Table, id) ? ProvisioningTemplate.TagKey(id) : throw NotFound(),
            "certificateprovider" => await Found(batch, CertificateProvider.Table, id) ? CertificateProvider.TagKey(id) : throw NotFound(),
            "domainconfiguration" => await DomainKey(batch, id, account, cancel) ?? throw NotFound(),
            var type when others.FirstOrDefault(k => k.ResourceType == type) is { } kind => await kind.Find(batch, account, id, cancel) ?? throw NotFound(),
            _ => throw Refuse.InvalidRequest($"'{text}' is not a resource that can have tags: thing groups, thing types, billing groups, policies, role aliases, "
                + "authorizers, CA certificates, domain configurations, provisioning templates and certificate providers can"
                + string.Concat(others.Select(k => $", {k.ResourceType}")) + "."),
        };

        async ValueTask<bool> Found<T>(Batch batch, Table<T> table, string key) where T : class
        {
            if (await store.Get(table, account, key, cancel) is not { } row)
                return false;
            batch.Require(table, row);
            return true;
        }

        ServiceException NotFound() => Refuse.ResourceNotFound($"There is no resource '{text}'.");
    }

    async ValueTask<string?> DomainKey(Batch batch, string id, AccountId account, CancellationToken cancel)
    {
        // The ARN ends in a suffix, which tells a configuration from one that had its name before.
        if (await store.Get(DomainConfiguration.Table, account, id.Split('/')[0], cancel) is not { } row || id != $"{row.Value.Name}/{row.Value.Suffix}")
            return null;
        batch.Require(DomainConfiguration.Table, row);
        return row.Value.TagKey;
    }
}

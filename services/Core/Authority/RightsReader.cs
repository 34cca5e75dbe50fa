using System.Security.Cryptography.X509Certificates;
using Althing.Broker;
using Althing.Core.Certificates;
using Althing.Core.Endpoints;
using Althing.Core.Policies;
using Althing.Core.Principals;
using Althing.Core.Provisioning.Fleet;
using Althing.Core.ThingGroups;
using Althing.Core.Things;
using Althing.Core.ThingTypes;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Authority;

/// <summary>Reads what a principal may do as a client. The number of reads depends on the device's own attachments, never on the fleet.</summary>
sealed class RightsReader(IStore store, SharedRights shared, SigningKeys keys, ServerNames serverNames, TimeProvider clock)
{
    /// <summary>A certificate may be attached to many things; the one named like the client is asked for directly, so few are ever read.</summary>
    const int ThingsReadMax = 2;

    /// <summary>The rights; null when the identity is gone or not active.</summary>
    /// <param name="clientId">The MQTT client id; null for calls over HTTPS, which have none.</param>
    public async ValueTask<Rights?> Read(DevicePrincipal principal, string? clientId, CancellationToken cancel)
    {
        var context = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (clientId is not null)
            context["iot:ClientId"] = clientId;
        if (principal.SourceIp is { } address)
            context["aws:SourceIp"] = address;
        if (principal.ServerName is { } serverName)
            context["iot:DomainName"] = serverName;
        // Under a name that was disabled since, nobody is let in any more.
        if ((await serverNames.Account(principal.ServerName, cancel)).Refused)
            return null;
        return principal switch
        {
            IamPrincipal signer => await ReadSigner(signer, context, cancel),
            CustomPrincipal custom => await ReadCustom(custom, context, cancel),
            _ when MqttUser.NameOf(principal) is { } userName => await ReadUser(principal, userName, context, cancel),
            _ => await ReadCertificate(principal, clientId, context, cancel),
        };
    }

    /// <summary>The variables that a certificate gives, and those of the thing it is bound to when its client has this id.</summary>
    public async ValueTask<Thing?> AddVariables(Dictionary<string, string> context, Certificate certificate, string? clientId, CancellationToken cancel)
    {
        context["iot:CertificateId"] = certificate.Id;
        using (var parsed = X509Certificate2.CreateFromPem(certificate.Pem))
            CertificateVariables.AddTo(context, parsed);
        var thing = clientId is null ? null : await BoundThing(certificate.Account, PrincipalRef.OfCertificate(certificate.Id), clientId, cancel);
        AddThing(context, thing);
        return thing;
    }

    /// <summary>
    /// The thing that the connection stands for ("Thing policy variables"): of the things that the principal is attached to the one named like
    /// the client id, else the one that it is attached to exclusively.
    /// </summary>
    public async ValueTask<Thing?> BoundThing(AccountId account, string principal, string clientId, CancellationToken cancel)
    {
        if (await store.Get(ThingPrincipal.Table, account, Key.Of(clientId, principal), cancel) is not null)
            return (await store.Get(Thing.Table, account, clientId, cancel))?.Value;
        var attached = await store.Scan(ThingPrincipal.Table, account, Scan.By("principal", principal) with { Limit = ThingsReadMax }, cancel);
        return attached is [{ Value.Exclusive: true } only] ? (await store.Get(Thing.Table, account, only.Value.ThingName, cancel))?.Value : null;
    }

    async ValueTask<Rights?> ReadCertificate(DevicePrincipal principal, string? clientId, Dictionary<string, string> context, CancellationToken cancel)
    {
        var row = await store.Get(Certificate.Table, principal.Account, principal.Id, cancel);
        if (row?.Value is not { Status: CertificateStatus.ACTIVE } certificate || !IsValidAt(certificate, clock.GetUtcNow()))
            return null;
        var thing = await AddVariables(context, certificate, clientId, cancel);
        var policies = await shared.PoliciesOf(principal.Account, PrincipalRef.OfCertificate(certificate.Id), cancel);
        if (certificate.ClaimFor is { } template)
            policies = [.. policies, SharedPolicy.Fixed(PolicyStore.Parse(ProvisioningClaim.Policy(principal.Account, certificate.Region, template)))];
        var groups = thing is null ? [] : await GroupsOf(principal.Account, thing.Name, cancel);
        return new(principal.Account, certificate.Region, thing?.Name, policies, groups, FewPairs.Of(context))
        {
            ThingTypeName = thing?.TypeName,
            Enrichment = thing?.TypeName is null ? null : await EnrichmentOf(thing, clientId, cancel),
        };
    }

    async ValueTask<IReadOnlyList<KeyValuePair<string, string>>?> EnrichmentOf(Thing thing, string? clientId, CancellationToken cancel)
    {
        var type = await store.Get(ThingType.Table, thing.Account, thing.TypeName!, cancel);
        List<KeyValuePair<string, string>>? carried = null;
        foreach (var attribute in type?.Value.Mqtt5?.PropagatingAttributes ?? [])
        {
            var value = attribute.ThingAttribute is { } name ? thing.Attributes.GetValueOrDefault(name)
                : attribute.ConnectionAttribute == "iot:ClientId" ? clientId : thing.Name;
            if (value is not null)
                (carried ??= []).Add(new(attribute.UserPropertyKey!, value));
        }
        return carried;
    }

    async ValueTask<Rights?> ReadSigner(IamPrincipal signer, Dictionary<string, string> context, CancellationToken cancel)
    {
        var (key, _) = await keys.Find(signer.AccessKeyId, signer.SessionToken, signer.Region, cancel);
        if (key is null)
            return null;
        foreach (var (name, value) in signer.Context.Concat(key.Caller.Context))
            context[name] = value;
        AddThing(context, null);
        return new(signer.Account, signer.Region, null, [.. key.Caller.Policies.Select(SharedPolicy.Fixed)], [], FewPairs.Of(context))
        {
            Boundary = key.Caller.Boundary is { } boundary ? [boundary] : null,
            Until = key.Expires,
        };
    }

    async ValueTask<Rights?> ReadCustom(CustomPrincipal custom, Dictionary<string, string> context, CancellationToken cancel)
    {
        if (custom.CertificateId is { } id && await store.Get(Certificate.Table, custom.Account, id, cancel) is not { Value.Status: CertificateStatus.ACTIVE })
            return null;
        AddThing(context, null);
        return new(custom.Account, custom.Region, null, [.. custom.Current.Answer.Policies.Select(SharedPolicy.Fixed)], [], FewPairs.Of(context));
    }

    async ValueTask<Rights?> ReadUser(DevicePrincipal principal, string userName, Dictionary<string, string> context, CancellationToken cancel)
    {
        if (await store.Get(MqttUser.Table, principal.Account, userName, cancel) is not { } row)
            return null;
        AddThing(context, null);
        List<SharedPolicy> policies = [];
        foreach (var name in row.Value.PolicyNames)
            policies.Add(await shared.Policy(principal.Account, name, cancel));
        foreach (var document in row.Value.PolicyDocuments)
            policies.Add(SharedPolicy.Fixed(PolicyStore.Parse(document)));
        return new(principal.Account, row.Value.Region, null, [.. policies], [], FewPairs.Of(context));
    }

    async ValueTask<SharedGroup[]> GroupsOf(AccountId account, string thingName, CancellationToken cancel)
    {
        var memberships = await store.Scan(ThingGroupMember.Table, account, Scan.By("thing", thingName), cancel);
        var groups = new SharedGroup[memberships.Count];
        for (var i = 0; i < groups.Length; i++)
            groups[i] = await shared.Group(account, memberships[i].Value.GroupName, cancel);
        return groups;
    }

    public static bool IsValidAt(Certificate certificate, DateTimeOffset time) => certificate.NotBefore <= time && time < certificate.NotAfter;

    static void AddThing(Dictionary<string, string> context, Thing? thing)
    {
        context["iot:Connection.Thing.IsAttached"] = thing is null ? "false" : "true";
        if (thing is null)
            return;
        context["iot:Connection.Thing.ThingName"] = thing.Name;
        if (thing.TypeName is { } type)
            context["iot:Connection.Thing.ThingTypeName"] = type;
        foreach (var (name, value) in thing.Attributes)
            context[$"iot:Connection.Thing.Attributes[{name}]"] = value;
    }
}

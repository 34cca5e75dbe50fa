using Althing.Api;
using Althing.Core.BillingGroups;
using Althing.Core.Provisioning.Templates;
using Althing.Core.ThingGroups;
using Althing.Core.Things;
using Althing.Core.ThingTypes;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning;

/// <summary>
/// All that one device's provisioning writes, as one batch, and what is to be told after its commit. Decided anew when somebody else wrote
/// first.
/// </summary>
sealed partial class Draft(DraftSources sources, Caller caller, ProvisioningPlan plan, PreparedCertificate? prepared, Batch batch, CancellationToken cancel)
{
    readonly IStore store = sources.Store;
    readonly Dictionary<string, string> arns = new(StringComparer.Ordinal);
    readonly List<RegistryChange> told = [];

    /// <exception cref="ServiceException">A resource is missing, stands against the template, or a quota is reached.</exception>
    public async ValueTask<Provisioned> Make()
    {
        var certificate = await Certificate();
        await Policies(certificate);
        var thing = await Thing();
        if (thing is not null && certificate is not null)
            await Attach(thing.Name, certificate);
        return new(thing?.Name, certificate?.Id, certificate?.Pem, arns, told);
    }

    async ValueTask<Thing?> Thing()
    {
        if (plan.Thing is not { } wanted)
            return null;
        var row = await store.Get(Things.Thing.Table, caller.Account, wanted.Name, cancel);
        var before = row?.Value;
        var after = before is null ? New(wanted) : Changed(before, wanted);
        ThingStore.CheckAttributes(after.Name, after.TypeName, after.Attributes);
        if (after.TypeName is { } type && type != before?.TypeName)
            await sources.Types.Use(batch, caller.Account, type, cancel);
        if (after.BillingGroupName is { } billing && billing != before?.BillingGroupName)
            await sources.Billing.Use(batch, caller.Account, billing, cancel);
        // Written even when it stays as it is: attachments of one thing, and its deletion, meet each other there.
        if (row is { } there)
            batch.Replace(Things.Thing.Table, there, after);
        else
            batch.Add(Things.Thing.Table, after);
        Tell(before, after);
        await Groups(wanted, after, isNew: before is null);
        arns[wanted.Part.LogicalName] = ThingStore.Arn(after.Name, caller);
        return after;
    }

    Thing New(ThingPlan wanted) => new()
    {
        Account = caller.Account,
        Name = wanted.Name,
        Id = Guid.NewGuid().ToString(),
        Version = 1,
        CreatedAt = sources.Clock.GetUtcNow(),
        TypeName = wanted.TypeName,
        BillingGroupName = wanted.BillingGroup,
        Attributes = new AttributePayload { Attributes = wanted.Attributes }.ApplyTo(null),
    };

    static Thing Changed(Thing before, ThingPlan wanted)
    {
        var after = before;
        var given = wanted.Attributes is null ? null : new AttributePayload { Attributes = wanted.Attributes }.ApplyTo(null);
        if (given is not null && !AttributePayload.AreEqual(before.Attributes, given))
        {
            after = wanted.Part.AttributesOverride switch
            {
                Override.REPLACE => after with { Attributes = given },
                Override.MERGE => after with { Attributes = new AttributePayload { Attributes = wanted.Attributes, Merge = true }.ApplyTo(before.Attributes) },
                Override.DO_NOTHING => after,
                _ => throw Conflict($"Thing '{before.Name}' exists with other attributes", "AttributePayload"),
            };
        }
        if (wanted.TypeName is { } type && type != before.TypeName)
        {
            after = wanted.Part.TypeOverride switch
            {
                Override.REPLACE => after with { TypeName = type },
                Override.DO_NOTHING => after,
                _ => throw Conflict($"Thing '{before.Name}' exists with another type", "ThingTypeName"),
            };
        }
        if (wanted.BillingGroup is { } billing && billing != before.BillingGroupName)
        {
            after = before.BillingGroupName is null
                ? after with { BillingGroupName = billing }
                : throw Conflict($"Thing '{before.Name}' is in the billing group '{before.BillingGroupName}'", null);
        }
        var same = after.TypeName == before.TypeName && AttributePayload.AreEqual(after.Attributes, before.Attributes);
        return same ? after : after with { Version = before.Version + 1 };
    }

    async ValueTask Groups(ThingPlan wanted, Thing thing, bool isNew)
    {
        if (wanted.Groups is not { } groups)
            return;
        IReadOnlyList<string> present = isNew ? []
            : [.. (await store.Scan(ThingGroupMember.Table, caller.Account, Scan.By("thing", thing.Name), cancel)).Select(m => m.Value.GroupName)];
        if (!isNew && !present.ToHashSet(StringComparer.Ordinal).SetEquals(groups))
        {
            switch (wanted.Part.GroupsOverride)
            {
                case Override.DO_NOTHING:
                    return;
                case Override.FAIL:
                    throw Conflict($"Thing '{thing.Name}' exists in other thing groups", "ThingGroups");
            }
        }
        var change = new GroupMemberships.Change(thing.Name)
        {
            Add = groups,
            Remove = wanted.Part.GroupsOverride == Override.REPLACE ? [.. present.Except(groups, StringComparer.Ordinal)] : [],
        };
        told.AddRange(await sources.Memberships.Plan(batch, caller, thing, change, cancel));
    }

    static ServiceException Conflict(string what, string? setting) => Refuse.ResourceRegistrationFailure(
        $"ResourceConflictsException: {what} than the template asks for." + (setting is null ? "" : $" An OverrideSettings of '{setting}' says what to do then."));

    void Tell(Thing? before, Thing after)
    {
        if (before is null)
            told.Add(Told(RegistryResource.Thing, RegistryVerb.Created, after.Name, null, after));
        else if (after.Version != before.Version)
            told.Add(Told(RegistryResource.Thing, RegistryVerb.Updated, after.Name, null, after));
        if (before?.TypeName is { } old && old != after.TypeName)
            told.Add(Told(RegistryResource.ThingTypeAssociation, RegistryVerb.Deleted, after.Name, old, after));
        if (after.TypeName is { } type && type != before?.TypeName)
            told.Add(Told(RegistryResource.ThingTypeAssociation, RegistryVerb.Created, after.Name, type, after));
        if (before is not null && after.BillingGroupName is { } billing && billing != before.BillingGroupName)
            told.Add(Told(RegistryResource.BillingGroupMembership, RegistryVerb.Created, after.Name, billing, after));
    }

    RegistryChange Told(RegistryResource resource, RegistryVerb verb, string id, string? other, object detail) =>
        new(resource, verb, caller.Account, id, other) { Region = caller.Region, Detail = detail };
}

/// <summary>What drafts read and use.</summary>
sealed record DraftSources(IStore Store, ThingTypeStore Types, BillingGroupStore Billing, GroupMemberships Memberships, Certificates.CertificateStore Certificates, TimeProvider Clock);

/// <summary>What was made.</summary>
/// <param name="ResourceArns">By the resources' logical names.</param>
/// <param name="Told">What is to be told after the commit.</param>
sealed record Provisioned(
    string? ThingName, string? CertificateId, string? CertificatePem, IReadOnlyDictionary<string, string> ResourceArns, IReadOnlyList<RegistryChange> Told);

using Althing.Identity;
using Althing.Storage;

namespace Althing.Core;

/// <summary>
/// What operations tell the rest of the platform after a commit: registry events, the devices' rights, the index and live pages listen.
/// Handlers run on the caller's thread and must only note the change.
/// </summary>
public sealed class RegistryChanges
{
    public event Action<RegistryChange>? Changed;

    public void Publish(RegistryChange change) => Changed?.Invoke(change);

    /// <summary>Tells of a change that a caller made.</summary>
    internal void Publish(Caller caller, RegistryResource resource, RegistryVerb verb, string id, string? other = null, object? detail = null) =>
        Publish(RegistryChange.By(caller, resource, verb, id, other, detail));
}

/// <param name="Id">The name or id of the resource: a thing's name, a certificate's id, a policy's name.</param>
/// <param name="Other">The other end of a relation: the group of a membership, the target of an attachment.</param>
public sealed record RegistryChange(RegistryResource Resource, RegistryVerb Verb, AccountId Account, string Id, string? Other = null)
{
    /// <summary>A change that a caller makes.</summary>
    internal static RegistryChange By(Caller caller, RegistryResource resource, RegistryVerb verb, string id, string? other = null, object? detail = null) =>
        new(resource, verb, caller.Account, id, other) { Region = caller.Region, Detail = detail };

    /// <summary>The region of the call that made the change, for ARNs; null when no call did.</summary>
    public string? Region { get; init; }

    /// <summary>Another node of the cluster made it, which tells the world; here only what is in memory must follow.</summary>
    public bool IsFromElsewhere { get; init; }

    /// <summary>The resource's record after the change, or before it for a removal; for listeners inside the service.</summary>
    internal object? Detail { get; init; }
}

public enum RegistryResource
{
    Thing, ThingType, ThingTypeAssociation, ThingGroup, ThingGroupMembership, ThingGroupHierarchy, BillingGroup, BillingGroupMembership,
    ThingPrincipal, Certificate, CaCertificate, Policy, PolicyAttachment, DomainConfiguration, RoleAlias, Configuration,
    Authorizer, ServerCertificate,
}

public enum RegistryVerb { Created, Updated, Deleted }

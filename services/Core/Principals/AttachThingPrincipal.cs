using Althing.Api;
using Althing.Core.Certificates;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Principals;

/// <summary>
/// Attaches a principal to a thing. An exclusive attachment is the principal's only one. Attaching again changes its type when one is named.
/// </summary>
/// <remarks>"Associating an AWS IoT thing to an MQTT client connection": exclusive attachments are for certificates alone.</remarks>
[Operation<Iot>("PUT /things/{thingName}/principals")]
sealed class AttachThingPrincipal(IStore store, ThingStore things, ThingPrincipalStore principals, RegistryChanges changes)
    : Operation<AttachThingPrincipalRequest, EmptyResponse>
{
    protected override Permission Needs(AttachThingPrincipalRequest request, Caller caller) =>
        new("iot:AttachThingPrincipal", ThingStore.Arn(request.ThingName, caller));

    protected override async ValueTask<EmptyResponse> Run(AttachThingPrincipalRequest request, Caller caller, CancellationToken cancel)
    {
        var principal = ThingPrincipalStore.Parse(request.Principal, caller);
        var thing = await things.Require(caller.Account, request.ThingName, cancel);
        var certificate = await principals.RequireCertificate(principal, request.Principal, caller, cancel);
        var wanted = new ThingPrincipal
        {
            Account = caller.Account,
            ThingName = thing.Value.Name,
            Principal = principal,
            Exclusive = request.ThingPrincipalType == ThingPrincipal.ExclusiveType,
        };
        var existing = await store.Get(ThingPrincipal.Table, caller.Account, Key.Of(wanted.ThingName, principal), cancel);
        if (existing is { } known && (request.ThingPrincipalType is null || known.Value.Exclusive == wanted.Exclusive))
            return EmptyResponse.Instance;
        await CheckExclusive(wanted, request.Principal, cancel);
        // Thing and certificate are written again: that makes attachments of one principal, and deletions of either end, meet each other.
        var batch = new Batch().Replace(Thing.Table, thing, thing.Value).Put(ThingPrincipal.Table, wanted);
        if (certificate is { } row)
        {
            if (row.Value.Status == CertificateStatus.PENDING_TRANSFER)
                throw Refuse.InvalidRequest($"Certificate '{request.Principal}' is being transferred; accept, reject or cancel the transfer first.");
            batch.Replace(Certificate.Table, row, row.Value);
        }
        await store.Commit(batch, cancel);
        changes.Publish(caller, RegistryResource.ThingPrincipal, existing is null ? RegistryVerb.Created : RegistryVerb.Updated, wanted.ThingName, principal, wanted);
        return EmptyResponse.Instance;
    }

    async ValueTask CheckExclusive(ThingPrincipal wanted, string text, CancellationToken cancel)
    {
        if (wanted.Exclusive && PrincipalRef.CertificateId(wanted.Principal) is null)
            throw Refuse.InvalidRequest($"'{text}' is no certificate: only certificates can be attached as {ThingPrincipal.ExclusiveType}.");
        var attached = await store.Scan(ThingPrincipal.Table, wanted.Account, Scan.By("principal", wanted.Principal) with { Limit = 2 }, cancel);
        if (attached.FirstOrDefault(a => a.Value.ThingName != wanted.ThingName) is not { Value: { } other })
            return;
        if (other.Exclusive)
            throw Refuse.InvalidRequest($"'{text}' is attached exclusively to the thing '{other.ThingName}'. Detach it there first.");
        if (wanted.Exclusive)
            throw Refuse.InvalidRequest($"'{text}' cannot be attached exclusively to '{wanted.ThingName}': it is attached to '{other.ThingName}'. Detach it there first.");
    }
}

sealed record AttachThingPrincipalRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Header("x-amzn-principal")]
    public required string Principal { get; init; }
    [Query, OneOf("EXCLUSIVE_THING", "NON_EXCLUSIVE_THING")]
    public string? ThingPrincipalType { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CaCertificates;

/// <summary>Forgets an inactive CA. The device certificates registered under it stay.</summary>
[Operation<Iot>("DELETE /cacertificate/{caCertificateId}")]
sealed class DeleteCACertificate(IStore store, CaStore authorities) : Operation<DeleteCACertificateRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteCACertificateRequest request, Caller caller) =>
        new("iot:DeleteCACertificate", CaStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteCACertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await authorities.Require(caller.Account, request.CertificateId, cancel);
        if (row.Value.Active)
            throw Refuse.CertificateState($"CA certificate {row.Value.Id} must be deactivated before deletion: UpdateCACertificate with newStatus INACTIVE.");
        var batch = new Batch()
            .Delete(CaCertificate.Table, row)
            .Delete(CaOwner.Table, AccountId.Platform, CaOwner.KeyOf(row.Value));
        TagStore.Forget(batch, caller.Account, CaStore.TagKey(row.Value.Id));
        await store.Commit(batch, cancel);
        authorities.Tell(RegistryVerb.Deleted, row.Value);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteCACertificateRequest
{
    [Label("caCertificateId"), Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
}

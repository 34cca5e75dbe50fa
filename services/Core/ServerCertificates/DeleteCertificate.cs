using Althing.Api;
using Althing.Core.DomainConfigurations;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ServerCertificates;

/// <summary>Deletes a certificate that no domain configuration uses.</summary>
[Operation<Acm>]
sealed class DeleteCertificate(IStore store, RegistryChanges changes) : Operation<DeleteCertificateRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteCertificateRequest request, Caller caller) => new("acm:DeleteCertificate", request.CertificateArn);

    protected override async ValueTask<EmptyResponse> Run(DeleteCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await ServerCertificate.Require(store, request.CertificateArn, caller.Account, cancel);
        if (await DomainConfiguration.UsersOf(store, row.Value, cancel) is [var user, ..])
            throw RefuseAcm.InUse($"Domain configuration '{user.Name}' uses the certificate. Delete it first.");
        await store.Commit(new Batch().Delete(ServerCertificate.Table, row), cancel);
        changes.Publish(new(RegistryResource.ServerCertificate, RegistryVerb.Deleted, caller.Account, row.Value.Id) { Detail = row.Value });
        return EmptyResponse.Instance;
    }
}

sealed record DeleteCertificateRequest
{
    [Length(20, 2048)]
    public required string CertificateArn { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning;

/// <summary>From now on the platform issues certificates itself again.</summary>
[Operation<Iot>("DELETE /certificate-providers/{certificateProviderName}")]
sealed class DeleteCertificateProvider(IStore store) : Operation<DeleteCertificateProviderRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteCertificateProviderRequest request, Caller caller) =>
        new("iot:DeleteCertificateProvider", CertificateProvider.Arn(request.CertificateProviderName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteCertificateProviderRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await CertificateProvider.Require(store, caller.Account, request.CertificateProviderName, cancel);
        var batch = new Batch().Delete(CertificateProvider.Table, row);
        TagStore.Forget(batch, caller.Account, CertificateProvider.TagKey(row.Value.Name));
        await store.Commit(batch, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteCertificateProviderRequest
{
    [Label, Length(1, 128), Pattern(@"[\w=,@-]+")]
    public required string CertificateProviderName { get; init; }
}

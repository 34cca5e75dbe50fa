using Althing.Api;
using Althing.Core.CustomAuthorizers;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning;

[Operation<Iot>("PUT /certificate-providers/{certificateProviderName}")]
sealed class UpdateCertificateProvider(IStore store, TimeProvider clock) : Operation<UpdateCertificateProviderRequest, UpdateCertificateProviderResponse>
{
    protected override Permission Needs(UpdateCertificateProviderRequest request, Caller caller) =>
        new("iot:UpdateCertificateProvider", CertificateProvider.Arn(request.CertificateProviderName, caller));

    protected override void Check(UpdateCertificateProviderRequest request)
    {
        if (request.LambdaFunctionArn is { } function)
            FunctionAddress.Check(function, "lambdaFunctionArn");
    }

    protected override async ValueTask<UpdateCertificateProviderResponse> Run(UpdateCertificateProviderRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await CertificateProvider.Require(store, caller.Account, request.CertificateProviderName, cancel);
        var changed = row.Value with
        {
            Function = request.LambdaFunctionArn ?? row.Value.Function,
            Operations = request.AccountDefaultForOperations ?? row.Value.Operations,
            LastModifiedAt = clock.GetUtcNow(),
        };
        await store.Commit(new Batch().Replace(CertificateProvider.Table, row, changed), cancel);
        return new() { CertificateProviderName = changed.Name, CertificateProviderArn = CertificateProvider.Arn(changed.Name, caller) };
    }
}

sealed record UpdateCertificateProviderRequest
{
    [Label, Length(1, 128), Pattern(@"[\w=,@-]+")]
    public required string CertificateProviderName { get; init; }
    [Length(0, 2048), Pattern(@"[\s\S]*")]
    public string? LambdaFunctionArn { get; init; }
    [Length(1, 1), OneOf("CreateCertificateFromCsr")]
    public IReadOnlyList<string>? AccountDefaultForOperations { get; init; }
}

sealed record UpdateCertificateProviderResponse
{
    public string? CertificateProviderName { get; init; }
    public string? CertificateProviderArn { get; init; }
}

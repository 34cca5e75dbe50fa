using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning;

[Operation<Iot>("GET /certificate-providers/{certificateProviderName}")]
sealed class DescribeCertificateProvider(IStore store) : Operation<DescribeCertificateProviderRequest, DescribeCertificateProviderResponse>
{
    protected override Permission Needs(DescribeCertificateProviderRequest request, Caller caller) =>
        new("iot:DescribeCertificateProvider", CertificateProvider.Arn(request.CertificateProviderName, caller));

    protected override async ValueTask<DescribeCertificateProviderResponse> Run(DescribeCertificateProviderRequest request, Caller caller, CancellationToken cancel)
    {
        var provider = (await CertificateProvider.Require(store, caller.Account, request.CertificateProviderName, cancel)).Value;
        return new()
        {
            CertificateProviderName = provider.Name,
            CertificateProviderArn = CertificateProvider.Arn(provider.Name, caller),
            LambdaFunctionArn = provider.Function,
            AccountDefaultForOperations = provider.Operations,
            CreationDate = provider.CreatedAt,
            LastModifiedDate = provider.LastModifiedAt,
        };
    }
}

sealed record DescribeCertificateProviderRequest
{
    [Label, Length(1, 128), Pattern(@"[\w=,@-]+")]
    public required string CertificateProviderName { get; init; }
}

sealed record DescribeCertificateProviderResponse
{
    public string? CertificateProviderName { get; init; }
    public string? CertificateProviderArn { get; init; }
    public string? LambdaFunctionArn { get; init; }
    public IReadOnlyList<string>? AccountDefaultForOperations { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
}

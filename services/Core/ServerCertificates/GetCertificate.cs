using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ServerCertificates;

/// <summary>The certificate and its chain; the private key is never given out.</summary>
[Operation<Acm>(ReadOnly = true)]
sealed class GetCertificate(IStore store) : Operation<GetCertificateRequest, GetCertificateResponse>
{
    protected override Permission Needs(GetCertificateRequest request, Caller caller) => new("acm:GetCertificate", request.CertificateArn);

    protected override async ValueTask<GetCertificateResponse> Run(GetCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = (await ServerCertificate.Require(store, request.CertificateArn, caller.Account, cancel)).Value;
        return new() { Certificate = row.Pem, CertificateChain = row.ChainPem.Length > 0 ? row.ChainPem : null };
    }
}

sealed record GetCertificateRequest
{
    [Length(20, 2048)]
    public required string CertificateArn { get; init; }
}

sealed record GetCertificateResponse
{
    public string? Certificate { get; init; }
    public string? CertificateChain { get; init; }
}

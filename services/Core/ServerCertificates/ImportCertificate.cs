using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Althing.Api;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.ServerCertificates;

/// <summary>Takes a server certificate with its key; under the ARN of one that is there, in its place, which the next connections get.</summary>
[Operation<Acm>]
sealed class ImportCertificate(IStore store, MasterKey master, RegistryChanges changes, TimeProvider clock)
    : Operation<ImportCertificateRequest, ImportCertificateResponse>
{
    /// <summary>"Certificate requirements" of custom domains: depth and size of the whole chain.</summary>
    const int ChainDepthMax = 5;
    const int ChainBytesMax = 16 * 1024;

    protected override Permission Needs(ImportCertificateRequest request, Caller caller) => new("acm:ImportCertificate", request.CertificateArn ?? "*");

    protected override async ValueTask<ImportCertificateResponse> Run(ImportCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        if (request.Tags is { Count: > 0 })
            throw RefuseAcm.Validation("Tags of server certificates are not served. Leave them out; tag the domain configuration instead.");
        var old = request.CertificateArn is { } arn ? await ServerCertificate.Require(store, arn, caller.Account, cancel) : (Row<ServerCertificate>?)null;
        if (old is null && await store.Count(ServerCertificate.Table, caller.Account, Scan.All, cancel) >= ServerCertificate.PerAccountMax)
            throw RefuseAcm.LimitExceeded($"The account has {ServerCertificate.PerAccountMax} certificates already. Delete one first.");
        var made = Read(request, caller, old?.Value);
        var batch = old is { } row ? new Batch().Replace(ServerCertificate.Table, row, made) : new Batch().Add(ServerCertificate.Table, made);
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.ServerCertificate, old is null ? RegistryVerb.Created : RegistryVerb.Updated, caller.Account, made.Id) { Detail = made });
        return new() { CertificateArn = made.Arn };
    }

    ServerCertificate Read(ImportCertificateRequest request, Caller caller, ServerCertificate? old)
    {
        using var certificate = CertificateText.TryRead(Encoding.UTF8.GetString(request.Certificate))
            ?? throw RefuseAcm.Validation("'Certificate' is not a certificate in PEM (-----BEGIN CERTIFICATE-----).");
        if (certificate.NotAfter.ToUniversalTime() <= clock.GetUtcNow())
            throw RefuseAcm.Validation($"The certificate expired at {certificate.NotAfter.ToUniversalTime():u}.");
        var keyPem = Encoding.UTF8.GetString(request.PrivateKey);
        CheckKey(certificate, keyPem);
        return new()
        {
            Account = caller.Account,
            Id = old?.Id ?? Guid.NewGuid().ToString(),
            Region = old?.Region ?? caller.Region,
            Pem = CertificateText.PemOf(certificate),
            ChainPem = ReadChain(request.CertificateChain),
            SealedKey = ServerCertificate.SealKey(master, keyPem),
            ImportedAt = clock.GetUtcNow(),
            NotBefore = certificate.NotBefore.ToUniversalTime(),
            NotAfter = certificate.NotAfter.ToUniversalTime(),
        };
    }

    static void CheckKey(X509Certificate2 certificate, string keyPem)
    {
        try
        {
            using var both = X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), keyPem);
        }
        catch (Exception refusal) when (refusal is CryptographicException or ArgumentException)
        {
            throw RefuseAcm.Validation("'PrivateKey' is not the certificate's private key in PEM without a password.");
        }
    }

    static string ReadChain(byte[]? pem)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            if (pem is { Length: > 0 })
                chain.ImportFromPem(Encoding.UTF8.GetString(pem));
        }
        catch (CryptographicException)
        {
            throw RefuseAcm.Validation("'CertificateChain' has something that is not a certificate in PEM.");
        }
        if (chain.Count >= ChainDepthMax || pem?.Length > ChainBytesMax)
            throw RefuseAcm.Validation($"A chain has {ChainDepthMax} certificates and {ChainBytesMax} bytes at most.");
        return ServerCertificate.Canonical(chain);
    }
}

sealed record ImportCertificateRequest
{
    [Length(20, 2048)]
    public string? CertificateArn { get; init; }
    [Length(1, 32768)]
    public required byte[] Certificate { get; init; }
    [Length(1, 5120)]
    public required byte[] PrivateKey { get; init; }
    [Length(1, 2097152)]
    public byte[]? CertificateChain { get; init; }
    [Length(1, 50)]
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record ImportCertificateResponse
{
    public string? CertificateArn { get; init; }
}

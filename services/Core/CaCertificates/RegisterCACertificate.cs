using System.Security.Cryptography.X509Certificates;
using Althing.Api;
using Althing.Core.Certificates;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.CaCertificates;

/// <summary>
/// Registers a CA ("Register your CA certificate"). In DEFAULT mode a verification certificate, signed by the CA and with the registration
/// code as common name, proves that the account holds its key; in SNI_ONLY mode several accounts may register the same CA without it.
/// </summary>
[Operation<Iot>("POST /cacertificate")]
sealed class RegisterCACertificate(IStore store, CaStore authorities, TagStore tags, TimeProvider clock)
    : Operation<RegisterCACertificateRequest, RegisterCACertificateResponse>
{
    protected override Permission Needs(RegisterCACertificateRequest request, Caller caller) => new("iot:RegisterCACertificate");

    protected override void Check(RegisterCACertificateRequest request)
    {
        RegistrationConfig.Check(request.RegistrationConfig);
        if (request.IsSniOnly && request.VerificationCertificate is not null)
            throw Refuse.InvalidRequest("'verificationCertificate' has no place in SNI_ONLY mode; leave it out.");
        if (!request.IsSniOnly && request.VerificationCertificate is null)
            throw Refuse.InvalidRequest("'verificationCertificate' is needed: a certificate signed by the CA whose common name is the code from GetRegistrationCode.");
    }

    protected override async ValueTask<RegisterCACertificateResponse> Run(RegisterCACertificateRequest request, Caller caller, CancellationToken cancel)
    {
        using var parsed = X509.Parse(request.CaCertificate, "caCertificate");
        if (!X509.IsAuthority(parsed))
            throw Refuse.CertificateValidation("The certificate in 'caCertificate' is no CA: its basic constraints do not say CA:TRUE.");
        var ca = Describe(parsed, request, caller);
        if (ca.NotAfter <= clock.GetUtcNow())
            throw Refuse.CertificateValidation($"The CA certificate expired at {ca.NotAfter:u}.");
        var batch = new Batch();
        if (request.VerificationCertificate is { } verification)
            await Verify(batch, verification, parsed, caller, cancel);
        await RefuseTaken(ca, caller, cancel);
        batch.Add(CaCertificate.Table, ca).Add(CaOwner.Table, CaOwner.Of(ca));
        await tags.AddTags(batch, caller.Account, CaStore.TagKey(ca.Id), request.Tags, cancel);
        await store.Commit(batch, cancel);
        authorities.Tell(RegistryVerb.Created, ca);
        return new() { CertificateArn = CaStore.Arn(ca.Id, caller), CertificateId = ca.Id };
    }

    CaCertificate Describe(X509Certificate2 parsed, RegisterCACertificateRequest request, Caller caller) => new()
    {
        Account = caller.Account,
        Id = CertificateText.IdOf(parsed),
        Region = caller.Region,
        Pem = parsed.ExportCertificatePem() + "\n",
        Active = request.SetAsActive is true,
        AutoRegistration = request.AllowAutoRegistration is true,
        SniOnly = request.IsSniOnly,
        SubjectHash = X509.NameHash(parsed.SubjectName),
        CreatedAt = clock.GetUtcNow(),
        LastModifiedAt = clock.GetUtcNow(),
        NotBefore = parsed.NotBefore.ToUniversalTime(),
        NotAfter = parsed.NotAfter.ToUniversalTime(),
        GenerationId = Guid.NewGuid().ToString(),
        RegistrationConfig = request.RegistrationConfig,
    };

    async ValueTask Verify(Batch batch, string pem, X509Certificate2 ca, Caller caller, CancellationToken cancel)
    {
        using var verification = X509.Parse(pem, "verificationCertificate");
        if (!X509.IsSignedBy(verification, ca))
            throw Refuse.CertificateValidation("The verification certificate is not signed by the CA certificate.");
        if (verification.NotAfter.ToUniversalTime() <= clock.GetUtcNow())
            throw Refuse.CertificateValidation($"The verification certificate expired at {verification.NotAfter.ToUniversalTime():u}.");
        var code = await store.Get(RegistrationCode.Table, caller.Account, RegistrationCode.Key, cancel)
            ?? throw Refuse.RegistrationCodeValidation("The account has no registration code yet. GetRegistrationCode makes one.");
        var name = verification.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        if (!string.Equals(name, code.Value.Code, StringComparison.OrdinalIgnoreCase))
            throw Refuse.RegistrationCodeValidation($"The verification certificate's common name is '{name}', not the code from GetRegistrationCode.");
        batch.Require(RegistrationCode.Table, code);
    }

    async ValueTask RefuseTaken(CaCertificate ca, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(CaCertificate.Table, caller.Account, ca.Id, cancel) is not null)
            throw Refuse.ResourceAlreadyExists("The CA certificate is already registered in this account.", ca.Id, CaStore.Arn(ca.Id, caller));
        if (!ca.SniOnly && await store.Get(CaOwner.Table, AccountId.Platform, CaOwner.KeyOf(ca), cancel) is not null)
            throw Refuse.ResourceAlreadyExists("The CA certificate is already registered in DEFAULT mode by another account. Use SNI_ONLY to share it.", ca.Id, null);
        if (await store.Count(CaCertificate.Table, caller.Account, Scan.By("subject", ca.SubjectHash), cancel) >= CaCertificate.SameSubjectMax)
            throw Refuse.LimitExceeded($"The account has {CaCertificate.SameSubjectMax} CA certificates with this subject already. Delete one first.");
    }
}

sealed record RegisterCACertificateRequest
{
    [Length(1, 65536), Pattern(@"[\s\S]*")]
    public required string CaCertificate { get; init; }
    [Length(1, 65536), Pattern(@"[\s\S]*")]
    public string? VerificationCertificate { get; init; }
    [Query]
    public bool? SetAsActive { get; init; }
    [Query]
    public bool? AllowAutoRegistration { get; init; }
    public RegistrationConfig? RegistrationConfig { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
    [OneOf("DEFAULT", "SNI_ONLY")]
    public string? CertificateMode { get; init; }

    internal bool IsSniOnly => CertificateMode == "SNI_ONLY";
}

sealed record RegisterCACertificateResponse
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
}

using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>A device certificate registered in an account.</summary>
sealed record Certificate
{
    public static readonly Table<Certificate> Table = new("certificates", c => (c.Account, c.Id),
        Index<Certificate>.On("ca", c => c.CaCertificateId is { } ca ? Storage.Key.Of(ca, c.CreationOrder) : null),
        Index<Certificate>.On("created", c => c.CreationOrder),
        Index<Certificate>.On("outgoing", c => c.IsOutgoing ? c.CreationOrder : null));

    public required AccountId Account { get; init; }

    /// <summary>SHA-256 of the certificate's DER, lower-case hexadecimal.</summary>
    public required string Id { get; init; }

    /// <summary>The region it was registered in: the one that its device's topics have in policies.</summary>
    public required string Region { get; init; }
    public required string Pem { get; init; }
    public required CertificateStatus Status { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }
    public required DateTimeOffset NotBefore { get; init; }
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>Rises at each change; DescribeCertificate shows it.</summary>
    public int CustomerVersion { get; init; } = 1;
    public string? CaCertificateId { get; init; }

    /// <summary>
    /// True for certificates registered without a CA or under one in SNI_ONLY mode: several accounts may have them, and the TLS server name
    /// tells which is meant.
    /// </summary>
    public bool SniOnly { get; init; }
    public string? GenerationId { get; init; }

    /// <summary>The provisioning template of a temporary certificate that can do nothing but provision a device with it.</summary>
    public string? ClaimFor { get; init; }
    public AccountId? PreviousOwner { get; init; }
    public CertificateTransfer? Transfer { get; init; }

    /// <summary>
    /// Set on the row that the receiving account has while a transfer is pending: the account that still owns the certificate. Accepting
    /// clears it and removes the former owner's row.
    /// </summary>
    public AccountId? PendingFrom { get; init; }

    string CreationOrder => $"{CreatedAt.ToUnixTimeMilliseconds():D15}";

    bool IsOutgoing => Status == CertificateStatus.PENDING_TRANSFER && PendingFrom is null;
}

/// <summary>As in the model; PENDING_TRANSFER and the like are written in upper case with underscores on the wire.</summary>
enum CertificateStatus { ACTIVE, INACTIVE, REVOKED, PENDING_TRANSFER, REGISTER_INACTIVE, PENDING_ACTIVATION }

sealed record CertificateTransfer
{
    public required AccountId TransferredTo { get; init; }
    public required DateTimeOffset TransferDate { get; init; }
    public string? Message { get; init; }
    public DateTimeOffset? AcceptDate { get; init; }
    public DateTimeOffset? RejectDate { get; init; }
    public string? RejectReason { get; init; }
}

/// <summary>Which account a certificate belongs to: what a TLS connection, which names no account, is looked up in.</summary>
sealed record CertificateOwner
{
    // Certificates that are not SNI_ONLY have one owner on the whole platform, so their key leaves the owner out: a second one conflicts.
    public static readonly Table<CertificateOwner> Table = new("certificate-owners",
        o => (AccountId.Platform, KeyOf(o.CertificateId, o.Owner, o.SniOnly)));

    public required string CertificateId { get; init; }
    public required AccountId Owner { get; init; }
    public required bool SniOnly { get; init; }

    public static string KeyOf(string certificateId, AccountId owner, bool sniOnly) => Key.Of(certificateId, sniOnly ? owner.Value : "");

    public static CertificateOwner Of(Certificate certificate) =>
        new() { CertificateId = certificate.Id, Owner = certificate.Account, SniOnly = certificate.SniOnly };
}

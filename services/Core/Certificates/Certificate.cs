using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>A device certificate registered in an account.</summary>
sealed record Certificate
{
    public static readonly Table<Certificate> Table = new("certificates", c => (c.Account, c.Id),
        Index<Certificate>.On("ca", c => c.CaCertificateId),
        Index<Certificate>.On("created", c => $"{c.CreatedAt.ToUnixTimeMilliseconds():D15}"),
        Index<Certificate>.On("transfer-to", c => c.Transfer?.TransferredTo.Value));

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

    /// <summary>True for certificates registered without a CA, which are told apart by the TLS server name.</summary>
    public bool SniOnly { get; init; }
    public string? GenerationId { get; init; }
    public AccountId? PreviousOwner { get; init; }
    public CertificateTransfer? Transfer { get; init; }
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

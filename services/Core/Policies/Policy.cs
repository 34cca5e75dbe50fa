using Althing.Storage;

namespace Althing.Core.Policies;

/// <summary>An IoT policy with its versions, five at most.</summary>
sealed record Policy
{
    public static readonly Table<Policy> Table = new("policies", p => (p.Account, p.Name));

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public required string GenerationId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }

    /// <summary>The version in force.</summary>
    public required int DefaultVersion { get; init; }

    /// <summary>The number that the newest version got; numbers are never used again.</summary>
    public required int LastVersion { get; init; }
    public required IReadOnlyList<PolicyVersion> Versions { get; init; }
}

sealed record PolicyVersion(int Version, string Document, DateTimeOffset CreatedAt);

/// <summary>A policy attached to a principal or thing group.</summary>
sealed record PolicyAttachment
{
    public static readonly Table<PolicyAttachment> Table = new("policy-attachments", a => (a.Account, Storage.Key.Of(a.PolicyName, a.Target)),
        Index<PolicyAttachment>.On("target", a => a.Target));

    public required AccountId Account { get; init; }
    public required string PolicyName { get; init; }

    /// <summary>See <see cref="Principals.PrincipalRef"/>.</summary>
    public required string Target { get; init; }
}

using System.Globalization;
using Althing.Storage;

namespace Althing.Core.Policies;

/// <summary>An IoT policy with its versions, five at most.</summary>
sealed record Policy
{
    public static readonly Table<Policy> Table = new("policies", p => (p.Account, p.Name),
        Index<Policy>.On("created", p => $"{p.CreatedAt.ToUnixTimeMilliseconds():D15}"));

    /// <summary>Service quota "Maximum number of named policy versions".</summary>
    public const int VersionsMax = 5;

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

    /// <summary>
    /// Set while a deletion looks for attachments. An attachment made meanwhile clears it, and the deletion then sees the attachment: so a
    /// policy attached from many sides at once needs no common counter, and none is ever left attached to nothing.
    /// </summary>
    public bool Deleting { get; init; }

    public PolicyVersion Default => Versions.First(v => v.Version == DefaultVersion);

    public PolicyVersion? Find(string versionId) =>
        int.TryParse(versionId, CultureInfo.InvariantCulture, out var number) ? Versions.FirstOrDefault(v => v.Version == number) : null;
}

sealed record PolicyVersion(int Version, string Document, DateTimeOffset CreatedAt)
{
    public string Id => Version.ToString(CultureInfo.InvariantCulture);
}

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

/// <summary>
/// Stands for an identity that has policies, which has no row of its own elsewhere: each attachment writes it, so that two at once meet.
/// It goes with the last attachment.
/// </summary>
sealed record PolicyIdentity
{
    public static readonly Table<PolicyIdentity> Table = new("policy-identities", i => (i.Account, i.Identity));

    public required AccountId Account { get; init; }

    /// <summary>See <see cref="Principals.PrincipalRef"/>.</summary>
    public required string Identity { get; init; }
}

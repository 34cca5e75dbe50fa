using Althing.Identity;

namespace Althing.Iam.Roles;

/// <summary>A role as answers show it; the model calls it Role.</summary>
sealed record RoleShape
{
    public required string Path { get; init; }
    public required string RoleName { get; init; }
    public required string RoleId { get; init; }
    public required string Arn { get; init; }
    public required DateTimeOffset CreateDate { get; init; }

    /// <summary>Encoded as in a URL.</summary>
    public string? AssumeRolePolicyDocument { get; init; }
    public string? Description { get; init; }

    /// <summary>In seconds.</summary>
    public int? MaxSessionDuration { get; init; }

    public static RoleShape Of(Role role) => new()
    {
        Path = role.Path,
        RoleName = role.Name,
        RoleId = role.Id,
        Arn = role.Arn,
        CreateDate = role.CreatedAt,
        AssumeRolePolicyDocument = InlinePolicies.Encode(role.TrustPolicy),
        Description = role.Description,
        MaxSessionDuration = (int)role.SessionMax.TotalSeconds,
    };
}

namespace Althing.Iam;

/// <summary>What IAM has and this platform has not: refused, never ignored.</summary>
static class Unserved
{
    /// <exception cref="Api.ServiceException">InvalidInput.</exception>
    public static void Check(string? path, string? permissionsBoundary, IReadOnlyList<IamTag>? tags)
    {
        if (path is not (null or "/"))
            throw Refuse.InvalidInput($"Path is '{path}': users and roles have no paths here. Leave it out, or give '/'.");
        if (permissionsBoundary is not null)
            throw Refuse.InvalidInput("PermissionsBoundary needs managed policies, which are not served. Write a Deny statement into the inline policies instead.");
        if (tags is { Count: > 0 })
            throw Refuse.InvalidInput("Tags of users and roles are not served. Leave them out.");
    }
}

/// <summary>The model calls it Tag.</summary>
sealed record IamTag
{
    [Api.Length(1, 128), Api.Pattern(Names.TagKey)]
    public required string Key { get; init; }
    [Api.Length(0, 256)]
    public required string Value { get; init; }
}

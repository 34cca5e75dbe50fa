namespace Althing.Identity;

/// <summary>An access key as the signer needs it. The secret never prints.</summary>
/// <param name="SessionToken">The token that must accompany the key, for temporary credentials; null for long-lived keys.</param>
public sealed record SigningKey(string AccessKeyId, Secret SecretAccessKey, string? SessionToken, Caller Caller)
{
    /// <summary>When temporary credentials end; null for long-lived keys.</summary>
    public DateTimeOffset? Expires { get; init; }
}

/// <summary>A string that must not reach logs.</summary>
public readonly record struct Secret(string Value)
{
    public override string ToString() => "***";
}

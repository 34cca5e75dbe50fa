using Althing.Identity;

namespace Althing.Iam.Sts;

/// <summary>Temporary credentials as answers show them.</summary>
sealed record Credentials
{
    public required string AccessKeyId { get; init; }
    public required string SecretAccessKey { get; init; }
    public required string SessionToken { get; init; }
    public required DateTimeOffset Expiration { get; init; }

    public static Credentials Of(SigningKey key, DateTimeOffset expires) => new()
    {
        AccessKeyId = key.AccessKeyId,
        SecretAccessKey = key.SecretAccessKey.Value,
        SessionToken = key.SessionToken!,
        Expiration = expires,
    };
}

/// <summary>Codes of devices for multi-factor authentication, of which there are none here.</summary>
static class MultiFactor
{
    /// <exception cref="Api.ServiceException">AccessDenied.</exception>
    public static void Check(string? serialNumber, string? tokenCode)
    {
        if (serialNumber is not null || tokenCode is not null)
            throw Refuse.AccessDenied("MultiFactorAuthentication failed: no such device. Users have no devices here; leave SerialNumber and TokenCode out.");
    }
}

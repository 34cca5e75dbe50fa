using Althing.Identity;

namespace Althing.ObjectStore.Elsewhere;

/// <summary>Another service that speaks S3, with the platform's own keys for it.</summary>
public sealed record ObjectEndpoint
{
    /// <summary>Buckets stand in the path behind it.</summary>
    public required Uri Address { get; init; }

    /// <summary>Requests are signed for it, and buckets are made in it.</summary>
    public required string Region { get; init; }
    public required string AccessKeyId { get; init; }
    public required Secret SecretAccessKey { get; init; }

    /// <summary>For temporary keys.</summary>
    public Secret? SessionToken { get; init; }

    /// <param name="address">Scheme, host, and port if it is not the scheme's own.</param>
    /// <param name="settings">
    /// What the AWS tools' files and variables call <c>aws_access_key_id</c>, <c>aws_secret_access_key</c>, <c>aws_session_token</c> and <c>region</c>.
    /// </param>
    /// <exception cref="FormatException">Something is missing or cannot be; the message says what.</exception>
    public static ObjectEndpoint Of(string address, Func<string, string?> settings)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            throw new FormatException("the service's address is scheme, host and port, such as https://s3.eu-west-1.amazonaws.com.");
        if (uri.UserInfo.Length > 0)
            throw new FormatException("keys do not belong into the address, where every user of this machine sees them.");
        return new()
        {
            Address = uri,
            Region = settings("region") ?? "us-east-1",
            AccessKeyId = Needed("aws_access_key_id"),
            SecretAccessKey = new(Needed("aws_secret_access_key")),
            SessionToken = settings("aws_session_token") is { } token ? new Secret(token) : null,
        };

        string Needed(string name) => settings(name) ?? throw new FormatException($"the platform's keys for it are missing. Give {name} in a file with --objects-credentials FILE, or as a variable ALTHING_OBJECTS_{name[4..].ToUpperInvariant()}.");
    }
}

using System.Security.Authentication;

namespace Althing.Core.DomainConfigurations;

/// <summary>The TLS versions that a domain configuration chooses by name ("Security policies").</summary>
static class SecurityPolicies
{
    public const string Usual = "IoTSecurityPolicy_TLS13_1_2_2022_10";

    static readonly Dictionary<string, SslProtocols> Versions = new(StringComparer.Ordinal)
    {
        ["IoTSecurityPolicy_TLS13_1_3_2022_10"] = SslProtocols.Tls13,
        [Usual] = SslProtocols.Tls12 | SslProtocols.Tls13,
        ["IoTSecurityPolicy_TLS12_1_2_2022_10"] = SslProtocols.Tls12,
    };

    public static SslProtocols VersionsOf(string policy) => Versions[policy];

    /// <exception cref="Api.ServiceException">InvalidRequestException.</exception>
    public static void Check(string? policy)
    {
        if (policy is { Length: > 0 } && !Versions.ContainsKey(policy))
        {
            throw Refuse.InvalidRequest($"'{policy}' at 'tlsConfig.securityPolicy' is not served: {string.Join(", ", Versions.Keys)} are. "
                + "TLS 1.0 and 1.1 are not spoken.");
        }
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Althing.Storage;

namespace Althing.Core.Provisioning.Fleet;

/// <summary>Proves that a device got a certificate, which may be provisioned once with it. Only the token's hash is kept.</summary>
sealed record OwnershipToken
{
    public static readonly Table<OwnershipToken> Table = new("ownership-tokens", t => (t.Account, t.Hash));

    /// <summary>"certificateOwnershipToken … expires after one hour".</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    public required AccountId Account { get; init; }
    public required string Hash { get; init; }
    public required string CertificateId { get; init; }

    /// <summary>The ARN of the principal that the certificate was made for: nobody else can use the token.</summary>
    public required string Principal { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What the token was used for: a device that repeats its request, because the answer was lost, has the same answer again.</summary>
    public string? UsedFor { get; init; }
    public string? Answer { get; init; }

    public static string New() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(48));

    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>Names a request: the same template and parameters have the same name.</summary>
    public static string NameOf(string template, IReadOnlyDictionary<string, string> parameters)
    {
        var text = new StringBuilder(template);
        foreach (var (name, value) in parameters.OrderBy(p => p.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"\n{name.Length} {name} {value.Length} {value}");
        return HashOf(text.ToString());
    }
}

/// <summary>A certificate that lives five minutes, and can do nothing but provision a device: "Provisioning by trusted user".</summary>
sealed record ProvisioningClaim
{
    public static readonly Table<ProvisioningClaim> Table = new("provisioning-claims", c => (c.Account, c.CertificateId));

    /// <summary>"The temporary claim certificate expires after five minutes".</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    public required AccountId Account { get; init; }
    public required string CertificateId { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What the certificate's device may do.</summary>
    public static string Policy(AccountId account, string region, string template)
    {
        var prefix = $"arn:aws:iot:{region}:{account}:";
        string[] topics = ["$aws/certificates/create/*", "$aws/certificates/create-from-csr/*", $"$aws/provisioning-templates/{template}/provision/*"];
        var messages = string.Join(',', topics.Select(t => $"\"{prefix}topic/{t}\""));
        var filters = string.Join(',', topics.Select(t => $"\"{prefix}topicfilter/{t}\""));
        return $$"""
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"iot:Connect","Resource":"*"},
            {"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":[{{messages}}]},
            {"Effect":"Allow","Action":"iot:Subscribe","Resource":[{{filters}}]}]}
            """;
    }
}

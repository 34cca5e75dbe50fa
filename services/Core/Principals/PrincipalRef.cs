using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Principals;

/// <summary>
/// A principal as storage names it: without region, so that an attachment made through one region's endpoint holds for all.
/// <c>cert/ID</c> for certificates, <c>identity/ID</c> for Cognito-like identities, <c>group/NAME</c> for thing groups as policy targets.
/// </summary>
static class PrincipalRef
{
    const string CertificatePrefix = "cert/";
    const string IdentityPrefix = "identity/";
    const string GroupPrefix = "group/";

    public static string OfCertificate(string certificateId) => CertificatePrefix + certificateId;

    public static string OfGroup(string groupName) => GroupPrefix + groupName;

    public static string? CertificateId(string principal) =>
        principal.StartsWith(CertificatePrefix, StringComparison.Ordinal) ? principal[CertificatePrefix.Length..] : null;

    public static string? GroupName(string principal) =>
        principal.StartsWith(GroupPrefix, StringComparison.Ordinal) ? principal[GroupPrefix.Length..] : null;

    /// <summary>Reads what a client gives as principal or target: a certificate's or thing group's ARN, or an identity id.</summary>
    /// <exception cref="Api.ServiceException">InvalidRequestException for anything else, or an ARN of another account.</exception>
    public static string Parse(string text, AccountId account)
    {
        if (!text.StartsWith("arn:", StringComparison.Ordinal))
        {
            // Cognito identity ids look like region:uuid.
            return text.Length is > 0 and <= 128 && text.Contains(':', StringComparison.Ordinal) && !text.Contains('/', StringComparison.Ordinal)
                ? IdentityPrefix + text
                : throw Refuse.InvalidRequest($"'{text}' is not a principal: give the ARN of a certificate or thing group, or a Cognito identity id.");
        }
        var parts = text.Split(':', 6);
        if (parts is not ["arn", _, "iot", _, var owner, var resource] || owner != account.Value)
            throw Refuse.InvalidRequest($"'{text}' is not the ARN of an IoT resource of account {account}.");
        if (resource.StartsWith(CertificatePrefix, StringComparison.Ordinal))
            return resource.ToLowerInvariant();
        return resource.StartsWith("thinggroup/", StringComparison.Ordinal)
            ? GroupPrefix + resource["thinggroup/".Length..]
            : throw Refuse.InvalidRequest($"'{text}' is neither a certificate nor a thing group.");
    }

    /// <summary>How a client sees it: an ARN in the caller's region, or the identity id.</summary>
    public static string Format(string principal, Caller caller) =>
        CertificateId(principal) is not null ? caller.ArnOf("iot", principal)
        : GroupName(principal) is { } group ? caller.ArnOf("iot", "thinggroup/" + group)
        : principal[IdentityPrefix.Length..];
}

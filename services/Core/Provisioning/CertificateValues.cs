using System.Security.Cryptography.X509Certificates;
using Althing.Core.Certificates;

namespace Althing.Core.Provisioning;

/// <summary>What templates may know of a device's certificate ("JITP overview"): its id, and what its subject says.</summary>
static class CertificateValues
{
    const string Prefix = "AWS::IoT::Certificate::";

    static readonly Dictionary<string, string> SubjectFields = new()
    {
        ["2.5.4.3"] = "CommonName",
        ["2.5.4.5"] = "SerialNumber",
        ["2.5.4.6"] = "Country",
        ["2.5.4.8"] = "StateName",
        ["2.5.4.10"] = "Organization",
        ["2.5.4.11"] = "OrganizationalUnit",
        ["2.5.4.46"] = "DistinguishedNameQualifier",
    };

    public static IReadOnlyDictionary<string, string> Of(Certificate certificate)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal) { [Prefix + "Id"] = certificate.Id };
        using var parsed = X509Certificate2.CreateFromPem(certificate.Pem);
        foreach (var part in parsed.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            if (!part.HasMultipleElements && SubjectFields.TryGetValue(part.GetSingleElementType().Value ?? "", out var field) && part.GetSingleElementValue() is { } value)
                values.TryAdd(Prefix + field, value);
        }
        return values;
    }
}

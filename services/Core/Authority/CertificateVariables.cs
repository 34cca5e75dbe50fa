using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Althing.Core.Authority;

/// <summary>The policy variables that a certificate's fields give ("X.509 Certificate AWS IoT Core policy variables").</summary>
static class CertificateVariables
{
    /// <summary>"X.509 Certificate policy variable limitations": longer values are not replaced, further items are ignored.</summary>
    const int CharactersMax = 1024;
    const int ItemsMax = 5;

    const string SubjectAlternativeName = "2.5.29.17";
    const string IssuerAlternativeName = "2.5.29.18";

    static readonly Dictionary<string, string> NameAttributes = new()
    {
        ["2.5.4.3"] = "CommonName",
        ["2.5.4.4"] = "Surname",
        ["2.5.4.5"] = "SerialNumber",
        ["2.5.4.6"] = "Country",
        ["2.5.4.8"] = "State",
        ["2.5.4.10"] = "Organization",
        ["2.5.4.11"] = "OrganizationalUnit",
        ["2.5.4.12"] = "Title",
        ["2.5.4.42"] = "GivenName",
        ["2.5.4.43"] = "Initials",
        ["2.5.4.44"] = "GenerationQualifier",
        ["2.5.4.46"] = "DistinguishedNameQualifier",
        ["2.5.4.65"] = "Pseudonym",
    };

    public static void AddTo(Dictionary<string, string> context, X509Certificate2 certificate)
    {
        Dictionary<string, List<string>> fields = new(StringComparer.Ordinal);
        AddName(fields, "iot:Certificate.Subject.", certificate.SubjectName);
        AddName(fields, "iot:Certificate.Issuer.", certificate.IssuerName);
        AddAlternatives(fields, "iot:Certificate.Subject.AlternativeName.", certificate.Extensions[SubjectAlternativeName]);
        AddAlternatives(fields, "iot:Certificate.Issuer.AlternativeName.", certificate.Extensions[IssuerAlternativeName]);
        fields["iot:Certificate.SerialNumber"] = [certificate.SerialNumber];
        foreach (var (name, values) in fields)
            AddValues(context, name, values);
        context["iot:Certificate.AvailableKeys"] = string.Join(ListSeparator, fields.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Between the values of a variable that has several.</summary>
    internal const char ListSeparator = '\u001f';

    // The plain name and .0 are not the same in the documentation: the plain name is the first value, .1 the second.
    static void AddValues(Dictionary<string, string> context, string name, List<string> values)
    {
        var usable = values.Take(ItemsMax).Select(Escape).ToList();
        for (var i = 0; i < usable.Count; i++)
        {
            if (usable[i] is { } value)
                context[i == 0 ? name : $"{name}.{i}"] = value;
        }
        var listed = usable.OfType<string>().ToList();
        if (listed.Count > 0)
            context[name + ".List"] = string.Join(ListSeparator, listed);
    }

    /// <summary>The value as it stands in for the variable; null when it may not.</summary>
    static string? Escape(string value)
    {
        if (value.Length > CharactersMax || value.AsSpan().ContainsAny("*$+?#") || value.Contains(ListSeparator, StringComparison.Ordinal))
            return null;
        var text = new StringBuilder(value.Length);
        foreach (var c in value)
        {
            if (c is ',' or '"' or '\\' or '=' or '<' or '>' or ';')
                text.Append('\\');
            text.Append(c);
        }
        return text.ToString();
    }

    static void AddName(Dictionary<string, List<string>> fields, string prefix, X500DistinguishedName name)
    {
        foreach (var part in name.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            if (!part.HasMultipleElements && NameAttributes.TryGetValue(part.GetSingleElementType().Value ?? "", out var attribute)
                && part.GetSingleElementValue() is { } value)
                Add(fields, prefix + attribute, value);
        }
    }

    // RFC 5280, section 4.2.1.6: GeneralNames, told apart by their context tags.
    static void AddAlternatives(Dictionary<string, List<string>> fields, string prefix, X509Extension? extension)
    {
        if (extension is null)
            return;
        try
        {
            for (var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence(); names.HasData;)
            {
                var tag = names.PeekTag();
                switch (tag.TagValue)
                {
                    case 1:
                        Add(fields, prefix + "RFC822Name", names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                        break;
                    case 2:
                        Add(fields, prefix + "DNSName", names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                        break;
                    case 4:
                        Add(fields, prefix + "DirectoryName", new X500DistinguishedName(names.ReadSequence(tag).ReadEncodedValue().Span).Name);
                        break;
                    case 6:
                        Add(fields, prefix + "UniformResourceIdentifier", names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                        break;
                    case 7:
                        if (names.ReadOctetString(tag) is { Length: 4 or 16 } address)
                            Add(fields, prefix + "IPAddress", new IPAddress(address).ToString());
                        break;
                    default:
                        names.ReadEncodedValue();
                        break;
                }
            }
        }
        catch (Exception refusal) when (refusal is AsnContentException or CryptographicException)
        {
            // A malformed extension gives no further variables; whatever a policy asks of them then does not hold.
        }
    }

    static void Add(Dictionary<string, List<string>> fields, string name, string value)
    {
        if (fields.TryGetValue(name, out var values))
            values.Add(value);
        else
            fields[name] = [value];
    }
}

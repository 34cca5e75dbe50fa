using System.Text.RegularExpressions;

namespace Althing.Telemetry;

/// <summary>Takes secrets out of a text that goes to a log: keys in PEM, signatures, tokens, passwords in URLs and in JSON.</summary>
public static partial class Redaction
{
    public const string Mark = "***";

    public static string Redact(string text)
    {
        text = PrivateKey().Replace(text, $"$1{Mark}$2");
        text = UrlPassword().Replace(text, $"$1{Mark}@");
        return Named().Replace(text, $"$1{Mark}");
    }

    [GeneratedRegex("(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----)", RegexOptions.Singleline, 1000)]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"(\b[a-z][a-z0-9+.-]*://[^/\s:@]+:)[^/\s@]+@", RegexOptions.IgnoreCase, 1000)]
    private static partial Regex UrlPassword();

    [GeneratedRegex("""((?:password|secret|secretaccesskey|aws_secret_access_key|sessiontoken|x-amz-security-token|x-amz-signature|signature)"?\s*[=:]\s*"?)[^\s"&,;]+""", RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Named();
}

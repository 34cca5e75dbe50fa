using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Althing.Core.Console;

/// <summary>Figures and payloads for people.</summary>
static class Figures
{
    /// <summary>Bytes of a binary payload that are shown.</summary>
    const int BinaryShownMax = 512;

    static readonly JsonSerializerOptions Pretty = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Rate(double perSecond) => perSecond.ToString(perSecond < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + "/s";

    /// <summary>JSON set out in lines, other text as it is, what is no text in hexadecimal.</summary>
    public static string Payload(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return "(empty)";
        try
        {
            var reader = new Utf8JsonReader(bytes);
            using var json = JsonDocument.ParseValue(ref reader);
            if (reader.BytesConsumed == bytes.Length)
                return JsonSerializer.Serialize(json.RootElement, Pretty);
        }
        catch (JsonException)
        {
            // Most payloads are something else.
        }
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : "hex " + Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, BinaryShownMax)]);
    }
}

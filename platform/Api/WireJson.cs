using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Althing.Api;

/// <summary>How shapes look on the wire: nulls left out, times as epoch seconds, bytes as base64, unknown members ignored as AWS does.</summary>
public static class WireJson
{
    /// <summary>Nesting deeper than this is refused before it costs anything.</summary>
    public const int DepthMax = 64;

    public static JsonSerializerOptions CamelCase { get; } = Make(JsonNamingPolicy.CamelCase);

    public static JsonSerializerOptions AsDeclared { get; } = Make(null);

    /// <summary>As declared, with times in ISO 8601: how AWS Query answers.</summary>
    internal static JsonSerializerOptions Query { get; } = Make(null, new IsoSeconds());

    /// <summary>
    /// Half a surrogate pair, written as an escape, is valid JSON and no text: reading it later would fail in places that do not expect it.
    /// </summary>
    /// <exception cref="JsonException">There is one in it, or it is no JSON.</exception>
    public static void CheckEscapes(ReadOnlySpan<byte> body)
    {
        if (body.IndexOf("\\u"u8) < 0)
            return;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = DepthMax });
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.PropertyName or JsonTokenType.String) || !reader.ValueIsEscaped)
                continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                throw new JsonException("An escape stands for half a character.", null, null, reader.TokenStartIndex);
            }
        }
    }

    static JsonSerializerOptions Make(JsonNamingPolicy? naming, JsonConverter? time = null)
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = naming,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            MaxDepth = DepthMax,
            AllowDuplicateProperties = false,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        };
        options.Converters.Add(time ?? new EpochSeconds());
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Seconds since 1970 with milliseconds as a fraction; ISO 8601 is understood too, for query strings.</summary>
    sealed class EpochSeconds : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
            {
                var text = reader.GetString()!;
                return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                    ? time
                    : double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? From(number)
                    : throw new JsonException($"'{text}' is not a time. Give epoch seconds or ISO 8601, for example 2026-01-31T12:00:00Z.");
            }
            return From(reader.GetDouble());
        }

        static DateTimeOffset From(double seconds) => seconds is > -62_135_596_800 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Round(seconds * 1000))
            : throw new JsonException($"{seconds.ToString(CultureInfo.InvariantCulture)} is not a time in epoch seconds.");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(value.ToUnixTimeMilliseconds() / 1000m);
    }

    sealed class IsoSeconds : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Only answers are written so.");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
    }
}

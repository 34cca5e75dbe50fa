using System.Formats.Cbor;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Core;

/// <summary>What devices send and get: JSON, or the same as CBOR (RFC 8949).</summary>
public static class DevicePayload
{
    const int DepthMax = 4;

    static readonly JsonDocumentOptions Strict = new() { MaxDepth = DepthMax, AllowDuplicateProperties = false };

    public static bool IsFormat(string format) => format is "json" or "cbor";

    /// <summary>The members of a request; none for an empty payload.</summary>
    /// <param name="bytesAsText">How byte strings of CBOR are taken: as text in UTF-8, or else as Base64.</param>
    /// <exception cref="FormatException">It is not well-formed, or no object; the message says so.</exception>
    public static JsonObject Read(string format, ReadOnlyMemory<byte> payload, bool bytesAsText = true)
    {
        if (payload.IsEmpty)
            return [];
        try
        {
            return (format == "cbor" ? ReadCbor(payload, bytesAsText) : JsonNode.Parse(payload.Span, documentOptions: Strict)) as JsonObject
                ?? throw new FormatException("The payload is no object.");
        }
        catch (Exception failure) when (failure is JsonException or CborContentException or InvalidOperationException or OverflowException or ArgumentException)
        {
            throw new FormatException($"The payload is not well-formed {format.ToUpperInvariant()}.", failure);
        }
    }

    public static byte[] Write(string format, JsonNode? document)
    {
        if (format == "json")
            return JsonSerializer.SerializeToUtf8Bytes(document);
        var writer = new CborWriter(CborConformanceMode.Lax);
        Write(writer, document);
        return writer.Encode();
    }

    static JsonNode? ReadCbor(ReadOnlyMemory<byte> payload, bool bytesAsText)
    {
        var reader = new CborReader(payload, CborConformanceMode.Lax);
        var value = ReadValue(reader, 0, bytesAsText);
        return reader.BytesRemaining == 0 ? value : throw new CborContentException("Something follows the value.");
    }

    static JsonNode? ReadValue(CborReader reader, int depth, bool bytesAsText)
    {
        if (depth > DepthMax)
            throw new CborContentException("The payload is nested too deeply.");
        switch (reader.PeekState())
        {
            case CborReaderState.StartMap:
                return ReadMap(reader, depth, bytesAsText);
            case CborReaderState.StartArray:
                var items = new JsonArray();
                for (reader.ReadStartArray(); reader.PeekState() != CborReaderState.EndArray;)
                    items.Add(ReadValue(reader, depth + 1, bytesAsText));
                reader.ReadEndArray();
                return items;
            case CborReaderState.TextString or CborReaderState.StartIndefiniteLengthTextString:
                return JsonValue.Create(reader.ReadTextString());
            case CborReaderState.ByteString or CborReaderState.StartIndefiniteLengthByteString:
                var bytes = reader.ReadByteString();
                return JsonValue.Create(bytesAsText ? Encoding.UTF8.GetString(bytes) : Convert.ToBase64String(bytes));
            case CborReaderState.UnsignedInteger or CborReaderState.NegativeInteger:
                return JsonValue.Create(reader.ReadInt64());
            case CborReaderState.Boolean:
                return JsonValue.Create(reader.ReadBoolean());
            case CborReaderState.HalfPrecisionFloat or CborReaderState.SinglePrecisionFloat or CborReaderState.DoublePrecisionFloat:
                return JsonValue.Create(reader.ReadDouble());
            case CborReaderState.Null:
                reader.ReadNull();
                return null;
            default:
                throw new CborContentException($"{reader.PeekState()} has no place here.");
        }
    }

    static JsonObject ReadMap(CborReader reader, int depth, bool bytesAsText)
    {
        var members = new JsonObject();
        for (reader.ReadStartMap(); reader.PeekState() != CborReaderState.EndMap;)
        {
            var name = reader.ReadTextString();
            if (!members.TryAdd(name, ReadValue(reader, depth + 1, bytesAsText)))
                throw new CborContentException($"'{name}' is given twice.");
        }
        reader.ReadEndMap();
        return members;
    }

    static void Write(CborWriter writer, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                writer.WriteStartMap(members.Count);
                foreach (var (name, value) in members)
                {
                    writer.WriteTextString(name);
                    Write(writer, value);
                }
                writer.WriteEndMap();
                break;
            case JsonArray items:
                writer.WriteStartArray(items.Count);
                foreach (var item in items)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValue value:
                WriteScalar(writer, JsonSerializer.SerializeToElement(value));
                break;
            default:
                writer.WriteNull();
                break;
        }
    }

    static void WriteScalar(CborWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                writer.WriteTextString(value.GetString()!);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                writer.WriteBoolean(value.GetBoolean());
                break;
            case JsonValueKind.Number when value.TryGetInt64(out var whole):
                writer.WriteInt64(whole);
                break;
            case JsonValueKind.Number when value.TryGetUInt64(out var large):
                writer.WriteUInt64(large);
                break;
            default:
                writer.WriteDouble(value.GetDouble());
                break;
        }
    }
}

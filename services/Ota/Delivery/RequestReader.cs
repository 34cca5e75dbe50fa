using System.Formats.Cbor;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Althing.Ota.Delivery;

/// <summary>Reads requests: JSON, or the same as CBOR (RFC 8949). Members that mean nothing here are passed over.</summary>
static class RequestReader
{
    /// <summary>Bytes of a client token ("DescribeStream request").</summary>
    const int TokenBytesMax = 64;

    static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>An empty payload has no members.</summary>
    /// <param name="token">The client token, as soon as it is known to be one: refusals carry it.</param>
    /// <exception cref="StreamRefusal">InvalidJson, InvalidCbor, InvalidRequest.</exception>
    public static RequestMembers Read(PayloadFormat format, ReadOnlyMemory<byte> payload, out string? token)
    {
        token = null;
        if (payload.IsEmpty)
            return default;
        try
        {
            var members = format == PayloadFormat.Cbor ? ReadCbor(payload, ref token) : ReadJson(payload, ref token);
            return members with { Token = token };
        }
        catch (Exception failure) when (failure is JsonException or CborContentException or InvalidOperationException or OverflowException or ArgumentException)
        {
            throw StreamRefusal.InvalidDocument(format);
        }
    }

    static RequestMembers ReadJson(ReadOnlyMemory<byte> payload, ref string? token)
    {
        using var document = JsonDocument.Parse(payload, Strict);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw StreamRefusal.InvalidDocument(PayloadFormat.Json);
        if (document.RootElement.TryGetProperty("c", out var given) && given.ValueKind != JsonValueKind.Null)
            token = Token(given.ValueKind == JsonValueKind.String ? given.GetString() : null);
        var members = new RequestMembers();
        foreach (var member in document.RootElement.EnumerateObject())
        {
            var value = member.Value;
            if (value.ValueKind == JsonValueKind.Null)
                continue;
            members = member.Name == "b"
                ? members with { Bitmap = FromHex(value.ValueKind == JsonValueKind.String ? value.GetString()! : "-") }
                : With(members, member.Name, value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null);
        }
        return members;
    }

    static RequestMembers ReadCbor(ReadOnlyMemory<byte> payload, ref string? token)
    {
        var reader = new CborReader(payload, CborConformanceMode.Lax);
        if (reader.PeekState() != CborReaderState.StartMap)
            throw StreamRefusal.InvalidDocument(PayloadFormat.Cbor);
        var isDefinite = reader.ReadStartMap() is not null;
        var members = new RequestMembers();
        HashSet<string> names = new(StringComparer.Ordinal);
        // A map of indefinite length may lack its end: encoders of small devices forget it where the buffer ends.
        while ((isDefinite || reader.BytesRemaining > 0) && reader.PeekState() != CborReaderState.EndMap)
        {
            var name = reader.ReadTextString();
            if (!names.Add(name))
                throw new CborContentException($"'{name}' is given twice.");
            members = ReadMember(reader, name, members, ref token);
        }
        if (isDefinite || reader.BytesRemaining > 0)
            reader.ReadEndMap();
        return reader.BytesRemaining == 0 ? members : throw new CborContentException("Something follows the map.");
    }

    static RequestMembers ReadMember(CborReader reader, string name, RequestMembers members, ref string? token)
    {
        var state = reader.PeekState();
        var isText = state is CborReaderState.TextString or CborReaderState.StartIndefiniteLengthTextString;
        var isBytes = state is CborReaderState.ByteString or CborReaderState.StartIndefiniteLengthByteString;
        switch (name)
        {
            case "c" when isText:
                token = Token(reader.ReadTextString());
                return members;
            case "c" when isBytes:
                token = Token(Encoding.UTF8.GetString(reader.ReadByteString()));
                return members;
            case "b" when isBytes:
                return members with { Bitmap = reader.ReadByteString() };
            case "b" when isText:
                return members with { Bitmap = FromHex(reader.ReadTextString()) };
        }
        if (state is CborReaderState.UnsignedInteger or CborReaderState.NegativeInteger)
            return With(members, name, reader.ReadInt64());
        reader.SkipValue();
        if (state == CborReaderState.Null)
            return members;
        if (name is "c" or "b")
            throw StreamRefusal.InvalidRequest($"'{name}' is no {(name == "c" ? "text" : "byte string")}.");
        return With(members, name, null);
    }

    /// <param name="number">Null for what is no integer.</param>
    static RequestMembers With(RequestMembers members, string name, long? number) => name switch
    {
        "s" => members with { Version = Needed(name, number) },
        "f" => members with { FileId = Needed(name, number) },
        "l" => members with { BlockBytes = Needed(name, number) },
        "o" => members with { Offset = Needed(name, number) },
        "n" => members with { Count = Needed(name, number) },
        _ => members,
    };

    static long Needed(string name, long? number) => number ?? throw StreamRefusal.InvalidRequest($"'{name}' is no integer.");

    static string Token(string? text) => text is not null && Encoding.UTF8.GetByteCount(text) <= TokenBytesMax
        ? text
        : throw StreamRefusal.InvalidRequest($"The client token 'c' must be a text of at most {TokenBytesMax} bytes.");

    /// <summary>The bitmap of a text such as <c>0x130080</c>: bytes in their order, two digits each.</summary>
    static byte[] FromHex(string text)
    {
        var digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text;
        if (digits.Length > 2 * GetRequest.BitmapBytesMax)
            throw StreamRefusal.BlockBitmapLimitExceeded($"The bitmap 'b' has {(digits.Length / 2).ToString(CultureInfo.InvariantCulture)} bytes; it must have at most {GetRequest.BitmapBytesMax}.");
        try
        {
            return Convert.FromHexString(digits);
        }
        catch (FormatException)
        {
            throw StreamRefusal.InvalidRequest("The bitmap 'b' must be hexadecimal, two digits for each byte, such as 0x130080.");
        }
    }
}

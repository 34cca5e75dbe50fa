using System.Buffers;
using System.Formats.Cbor;
using System.Text.Json;
using Althing.Ota.Streams;

namespace Althing.Ota.Delivery;

/// <summary>Writes what devices get ("DescribeStream response", "GetStream response", errors).</summary>
static class AnswerWriter
{
    /// <summary>What stands around a block.</summary>
    const int FrameBytes = 160;

    public static byte[] Describe(PayloadFormat format, IotStream stream, string? token)
    {
        if (format == PayloadFormat.Json)
        {
            return Json(512, json =>
            {
                if (token is not null)
                    json.WriteString("c", token);
                json.WriteNumber("s", stream.Version);
                if (stream.Description is not null)
                    json.WriteString("d", stream.Description);
                json.WriteStartArray("r");
                foreach (var file in stream.Files)
                {
                    json.WriteStartObject();
                    json.WriteNumber("f", file.FileId);
                    json.WriteNumber("z", file.Bytes);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            });
        }
        return Cbor(2 + Count(token) + Count(stream.Description), token, cbor =>
        {
            Number(cbor, "s", stream.Version);
            if (stream.Description is not null)
                Text(cbor, "d", stream.Description);
            cbor.WriteTextString("r");
            cbor.WriteStartArray(stream.Files.Count);
            foreach (var file in stream.Files)
            {
                cbor.WriteStartMap(2);
                Number(cbor, "f", file.FileId);
                Number(cbor, "z", file.Bytes);
                cbor.WriteEndMap();
            }
            cbor.WriteEndArray();
        });
    }

    public static byte[] Block(PayloadFormat format, int fileId, int block, ReadOnlyMemory<byte> content, string? token)
    {
        if (format == PayloadFormat.Json)
        {
            return Json(FrameBytes + (content.Length + 2) / 3 * 4, json =>
            {
                if (token is not null)
                    json.WriteString("c", token);
                json.WriteNumber("f", fileId);
                json.WriteNumber("l", content.Length);
                json.WriteNumber("i", block);
                json.WriteBase64String("p", content.Span);
            });
        }
        return Cbor(4 + Count(token), token, cbor =>
        {
            Number(cbor, "f", fileId);
            Number(cbor, "l", content.Length);
            Number(cbor, "i", block);
            cbor.WriteTextString("p");
            cbor.WriteByteString(content.Span);
        }, FrameBytes + content.Length);
    }

    public static byte[] Refusal(PayloadFormat format, StreamRefusal refusal, string? token)
    {
        if (format == PayloadFormat.Json)
        {
            return Json(256, json =>
            {
                json.WriteString("o", refusal.Code);
                json.WriteString("m", refusal.Message);
                if (token is not null)
                    json.WriteString("c", token);
            });
        }
        return Cbor(2 + Count(token), token, cbor =>
        {
            Text(cbor, "o", refusal.Code);
            Text(cbor, "m", refusal.Message);
        });
    }

    static int Count(string? member) => member is null ? 0 : 1;

    static byte[] Json(int bytes, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(bytes);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    static byte[] Cbor(int count, string? token, Action<CborWriter> members, int bytes = 256)
    {
        var cbor = new CborWriter(CborConformanceMode.Lax, initialCapacity: bytes);
        cbor.WriteStartMap(count);
        if (token is not null)
            Text(cbor, "c", token);
        members(cbor);
        cbor.WriteEndMap();
        return cbor.Encode();
    }

    static void Number(CborWriter cbor, string name, long value)
    {
        cbor.WriteTextString(name);
        cbor.WriteInt64(value);
    }

    static void Text(CborWriter cbor, string name, string value)
    {
        cbor.WriteTextString(name);
        cbor.WriteTextString(value);
    }
}

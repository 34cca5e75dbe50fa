using System.Formats.Cbor;

namespace Althing.Simulator;

/// <summary>
/// One file on its way to a device by MQTT-based file delivery, in CBOR: which blocks are missing, and what to ask for next. Blocks may come in
/// any order, twice or not at all. Knows neither a connection nor where the content is kept.
/// </summary>
public sealed class StreamDownload
{
    /// <summary>What one request is answered with at most.</summary>
    const int AnswerBytesMax = 131_072;

    readonly string prefix;
    readonly int fileId;
    readonly int blockBytes;
    readonly long fileBytes;
    readonly Action<long, ReadOnlyMemory<byte>> keep;
    readonly bool[] there;
    int firstMissing;
    int awaited;

    /// <param name="keep">Takes each block once, with the offset where it belongs.</param>
    public StreamDownload(string thing, string streamId, int fileId, long fileBytes, int blockBytes, Action<long, ReadOnlyMemory<byte>> keep)
    {
        (prefix, this.fileId, this.blockBytes) = ($"$aws/things/{thing}/streams/{streamId}/", fileId, blockBytes);
        (this.fileBytes, this.keep) = (fileBytes, keep);
        there = new bool[(fileBytes + blockBytes - 1) / blockBytes];
        Missing = there.Length;
    }

    public string RequestTopic => prefix + "get/cbor";

    public string DataTopic => prefix + "data/cbor";

    public string RejectedTopic => prefix + "rejected/cbor";

    public int Missing { get; private set; }

    public bool IsComplete => Missing == 0;

    /// <summary>Blocks that came twice.</summary>
    public int Repeated { get; private set; }

    /// <summary>Everything that was asked for has come.</summary>
    public bool IsIdle => awaited <= 0;

    /// <summary>The request for the first blocks that are missing, as many as one answer may have.</summary>
    public byte[] NextRequest()
    {
        while (firstMissing < there.Length && there[firstMissing])
            firstMissing++;
        var most = Math.Max(1, AnswerBytesMax / blockBytes);
        var bitmap = new byte[Math.Min(128, (there.Length - firstMissing + 7) / 8)];
        awaited = 0;
        for (var bit = 0; bit < bitmap.Length * 8 && firstMissing + bit < there.Length && awaited < most; bit++)
        {
            if (there[firstMissing + bit])
                continue;
            bitmap[bit / 8] |= (byte)(1 << (bit % 8));
            awaited++;
        }
        return Encode(bitmap, awaited);
    }

    byte[] Encode(byte[] bitmap, int count)
    {
        var cbor = new CborWriter();
        cbor.WriteStartMap(6);
        cbor.WriteTextString("c");
        cbor.WriteTextString("rdy");
        Number("f", fileId);
        Number("l", blockBytes);
        Number("o", firstMissing);
        cbor.WriteTextString("b");
        cbor.WriteByteString(bitmap);
        Number("n", count);
        cbor.WriteEndMap();
        return cbor.Encode();

        void Number(string name, int value)
        {
            cbor.WriteTextString(name);
            cbor.WriteInt32(value);
        }
    }

    /// <summary>A block that came.</summary>
    /// <exception cref="FormatException">It is none of this file.</exception>
    public void Take(byte[] payload)
    {
        var (file, block, content) = Decode(payload);
        if (file != fileId || block < 0 || block >= there.Length || content.Length != Math.Min(blockBytes, fileBytes - (long)block * blockBytes))
            throw new FormatException($"Block {block} of file {file} with {content.Length} bytes is none of this file.");
        awaited--;
        if (there[block])
        {
            Repeated++;
            return;
        }
        keep((long)block * blockBytes, content);
        there[block] = true;
        Missing--;
    }

    static (int File, int Block, ReadOnlyMemory<byte> Content) Decode(byte[] payload)
    {
        var cbor = new CborReader(payload);
        var (file, block) = (-1, -1);
        ReadOnlyMemory<byte> content = default;
        for (cbor.ReadStartMap(); cbor.PeekState() != CborReaderState.EndMap;)
        {
            switch (cbor.ReadTextString())
            {
                case "f":
                    file = cbor.ReadInt32();
                    break;
                case "i":
                    block = cbor.ReadInt32();
                    break;
                case "p":
                    content = cbor.ReadDefiniteLengthByteString();
                    break;
                default:
                    cbor.SkipValue();
                    break;
            }
        }
        return (file, block, content);
    }
}

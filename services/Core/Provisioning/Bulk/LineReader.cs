namespace Althing.Core.Provisioning.Bulk;

/// <summary>Reads lines and knows where they stand. A line that is too long is not kept.</summary>
sealed class LineReader(Stream stream, long offset)
{
    /// <summary>A template has some ten parameters of 4096 characters at most.</summary>
    public const int LineBytesMax = 64 * 1024;

    readonly byte[] buffer = new byte[32 * 1024];
    int from, to;

    /// <summary>The next line; null at the end.</summary>
    /// <returns>The bytes, null for a line that is too long; where it begins; and where the next one does.</returns>
    public async ValueTask<(byte[]? Line, long Start, long Next)?> Read(CancellationToken cancel)
    {
        var start = offset;
        var line = new MemoryStream();
        var tooLong = false;
        while (true)
        {
            if (from == to)
            {
                (from, to) = (0, await stream.ReadAsync(buffer, cancel));
                if (to == 0)
                    return offset == start ? null : (tooLong ? null : line.ToArray(), start, offset);
            }
            var end = Array.IndexOf(buffer, (byte)'\n', from, to - from);
            var count = (end < 0 ? to : end) - from;
            tooLong |= line.Length + count > LineBytesMax;
            if (!tooLong)
                line.Write(buffer, from, count);
            offset += count + (end < 0 ? 0 : 1);
            from = end < 0 ? to : end + 1;
            if (end >= 0)
                return (tooLong ? null : line.ToArray(), start, offset);
        }
    }
}

using System.Globalization;

namespace Althing.ObjectStore.Objects;

/// <summary>The header Range: one range of bytes. Several at once are not served, and then all comes, as at AWS.</summary>
/// <remarks>RFC 9110, section 14.</remarks>
static class ByteRange
{
    /// <summary>Null for no range, or one that is not understood.</summary>
    /// <exception cref="Althing.Api.ServiceException">InvalidRange: it begins behind the end.</exception>
    public static (long Offset, long Bytes)? Parse(string? range, long bytes)
    {
        if (range is null || !range.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase) || range[6..].Trim().Split('-') is not [var from, var to])
            return null;
        var (hasFrom, hasTo) = (Number(from, out var first), Number(to, out var last));
        if (from.Length == 0 && hasTo)
        {
            if (last == 0 || bytes == 0)
                throw Refuse.InvalidRange(range, bytes);
            return (Math.Max(0, bytes - last), Math.Min(last, bytes));
        }
        if (!hasFrom || (!hasTo && to.Length > 0) || (hasTo && last < first))
            return null;
        if (first >= bytes)
            throw Refuse.InvalidRange(range, bytes);
        return (first, (hasTo ? Math.Min(last, bytes - 1) : bytes - 1) - first + 1);
    }

    static bool Number(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

using System.Buffers.Binary;

namespace Althing.ObjectStore.Digests;

/// <summary>A cyclic redundancy check of 32 or 64 bits, reflected, all ones at the beginning and inverted at the end; eight bytes a step.</summary>
/// <remarks>"Checking object integrity" (Amazon S3 User Guide) names the three; their polynomials are in the catalogue of parametrised CRC algorithms.</remarks>
sealed class Crc
{
    public static Crc Crc32 { get; } = new(0xEDB88320, 32);
    public static Crc Crc32C { get; } = new(0x82F63B78, 32);
    public static Crc Crc64Nvme { get; } = new(0x9A6C9329AC4BC9B5, 64);

    readonly ulong polynomial;
    readonly ulong[][] tables = new ulong[8][];

    Crc(ulong polynomial, int bits)
    {
        (this.polynomial, Bits, Ones) = (polynomial, bits, bits == 64 ? ulong.MaxValue : (1UL << bits) - 1);
        for (var t = 0; t < 8; t++)
            tables[t] = new ulong[256];
        for (var value = 0; value < 256; value++)
        {
            var crc = (ulong)value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ polynomial;
            tables[0][value] = crc;
        }
        for (var value = 0; value < 256; value++)
        {
            for (var t = 1; t < 8; t++)
                tables[t][value] = (tables[t - 1][value] >> 8) ^ tables[0][(byte)tables[t - 1][value]];
        }
    }

    public int Bits { get; }

    /// <summary>The state before the first byte, and what the state is combined with after the last.</summary>
    public ulong Ones { get; }

    public ulong Append(ulong state, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 8)
        {
            state ^= BinaryPrimitives.ReadUInt64LittleEndian(data);
            state = tables[7][(byte)state] ^ tables[6][(byte)(state >> 8)] ^ tables[5][(byte)(state >> 16)] ^ tables[4][(byte)(state >> 24)]
                ^ tables[3][(byte)(state >> 32)] ^ tables[2][(byte)(state >> 40)] ^ tables[1][(byte)(state >> 48)] ^ tables[0][state >> 56];
            data = data[8..];
        }
        foreach (var b in data)
            state = (state >> 8) ^ tables[0][(byte)(state ^ b)];
        return state;
    }

    /// <summary>The check of two contents one behind the other, from the checks of both: multiplication by a power of x in the field.</summary>
    /// <param name="secondBytes">The length of the second content.</param>
    public ulong Combine(ulong first, ulong second, long secondBytes)
    {
        // A matrix that appends one zero bit, squared three times for a byte, and on for each bit of the length.
        var matrix = new ulong[Bits];
        matrix[0] = polynomial;
        for (var i = 1; i < Bits; i++)
            matrix[i] = 1UL << (i - 1);
        for (var i = 0; i < 3; i++)
            matrix = Square(matrix);
        for (var left = secondBytes; left > 0; left >>= 1)
        {
            if ((left & 1) != 0)
                first = Times(matrix, first);
            matrix = Square(matrix);
        }
        return first ^ second;
    }

    static ulong Times(ulong[] matrix, ulong vector)
    {
        var sum = 0UL;
        for (var i = 0; vector != 0; i++, vector >>= 1)
        {
            if ((vector & 1) != 0)
                sum ^= matrix[i];
        }
        return sum;
    }

    static ulong[] Square(ulong[] matrix) => [.. matrix.Select(row => Times(matrix, row))];

    /// <summary>As it travels: big-endian.</summary>
    public byte[] Bytes(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes[(8 - (Bits / 8))..];
    }

    public ulong Value(ReadOnlySpan<byte> bytes)
    {
        var value = 0UL;
        foreach (var b in bytes)
            value = (value << 8) | b;
        return value;
    }
}

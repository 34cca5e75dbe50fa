using System.Security.Cryptography;

namespace Althing.ObjectStore.Digests;

/// <summary>One of the checksums that clients send with content and get back with it.</summary>
sealed class ChecksumAlgorithm
{
    public const string Composite = "COMPOSITE";
    public const string FullObject = "FULL_OBJECT";

    readonly Crc? crc;
    readonly HashAlgorithmName? hash;

    ChecksumAlgorithm(string name, int bytes, Crc? crc, HashAlgorithmName? hash) => (Name, Bytes, this.crc, this.hash) = (name, bytes, crc, hash);

    public static IReadOnlyList<ChecksumAlgorithm> All { get; } =
    [
        new("CRC32", 4, Crc.Crc32, null), new("CRC32C", 4, Crc.Crc32C, null), new("CRC64NVME", 8, Crc.Crc64Nvme, null),
        new("SHA1", 20, null, HashAlgorithmName.SHA1), new("SHA256", 32, null, HashAlgorithmName.SHA256),
    ];

    /// <summary>What is computed when the client asks for none, as at AWS.</summary>
    public static ChecksumAlgorithm Default { get; } = All[2];

    public string Name { get; }
    public int Bytes { get; }

    /// <summary>The header's end behind <c>x-amz-checksum-</c>.</summary>
    public string HeaderName => Name.ToLowerInvariant();

    public static ChecksumAlgorithm? Find(string? name) => All.FirstOrDefault(a => a.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The type that a multipart object's checksum has when the client does not say.</summary>
    public string DefaultType => Name == "CRC64NVME" ? FullObject : Composite;

    /// <summary>Whether a multipart object can have a checksum of this type.</summary>
    public bool Allows(string type) => type == FullObject ? crc is not null : type == Composite && Name != "CRC64NVME";

    public Running Start() => new(this);

    /// <summary>The checksum of the whole, from those of its parts.</summary>
    /// <param name="parts">Base64 and length of each.</param>
    public string OfParts(IReadOnlyList<(string Value, long Bytes)> parts, string type)
    {
        if (type == FullObject)
        {
            var whole = parts.Skip(1).Aggregate(crc!.Value(Convert.FromBase64String(parts[0].Value)),
                (sum, part) => crc.Combine(sum, crc.Value(Convert.FromBase64String(part.Value)), part.Bytes));
            return Convert.ToBase64String(crc.Bytes(whole));
        }
        var running = Start();
        foreach (var (value, _) in parts)
            running.Append(Convert.FromBase64String(value));
        return $"{running.Finish()}-{parts.Count}";
    }

    /// <summary>A checksum in the making.</summary>
    public sealed class Running : IDisposable
    {
        readonly ChecksumAlgorithm algorithm;
        readonly IncrementalHash? hash;
        ulong state;

        internal Running(ChecksumAlgorithm algorithm)
        {
            this.algorithm = algorithm;
            state = algorithm.crc?.Ones ?? 0;
            hash = algorithm.hash is { } name ? IncrementalHash.CreateHash(name) : null;
        }

        public void Append(ReadOnlySpan<byte> data)
        {
            if (algorithm.crc is { } crc)
                state = crc.Append(state, data);
            else
                hash!.AppendData(data);
        }

        /// <summary>Base64, as it travels.</summary>
        public string Finish() => Convert.ToBase64String(algorithm.crc is { } crc ? crc.Bytes(state ^ crc.Ones) : hash!.GetHashAndReset());

        public void Dispose() => hash?.Dispose();
    }
}

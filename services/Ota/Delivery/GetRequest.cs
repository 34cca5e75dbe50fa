namespace Althing.Ota.Delivery;

/// <summary>How a topic's last level says that payloads are written.</summary>
enum PayloadFormat { Json, Cbor }

/// <summary>A device's wish for blocks of a file ("GetStream request").</summary>
sealed record GetRequest
{
    /// <summary>Quotas "Minimum block size" and "Maximum block size".</summary>
    public const int BlockBytesMin = 256;
    public const int BlockBytesMax = 131_072;

    /// <summary>Quota "Maximum block offset": 24 MB in the smallest blocks.</summary>
    public const int OffsetMax = 98_304;
    public const int BlocksMax = 98_304;
    public const int BitmapBytesMax = 12_288;

    /// <summary>What one request gets at most, however much it asks for.</summary>
    public const int AnswerBytesMax = 131_072;

    public int? Version { get; init; }
    public required int FileId { get; init; }
    public required int BlockBytes { get; init; }
    public int Offset { get; init; }
    public int? Count { get; init; }
    public byte[]? Bitmap { get; init; }

    /// <exception cref="StreamRefusal">A member is missing or out of its bounds.</exception>
    public static GetRequest Of(RequestMembers members)
    {
        var blockBytes = members.BlockBytes ?? throw StreamRefusal.InvalidRequest("The block size 'l' is missing.");
        var fileId = members.FileId ?? throw StreamRefusal.InvalidRequest("The file id 'f' is missing.");
        if (fileId is < 0 or > 255)
            throw StreamRefusal.InvalidRequest($"The file id 'f' is {fileId}; file ids are 0 to 255.");
        if (members.Version is < 0 or > Streams.IotStream.VersionMax)
            throw StreamRefusal.InvalidRequest($"The stream version 's' is {members.Version}; versions are 0 to {Streams.IotStream.VersionMax}.");
        if (blockBytes is < BlockBytesMin or > BlockBytesMax)
            throw StreamRefusal.BlockSizeOutOfBounds($"The block size 'l' is {blockBytes}; it must be {BlockBytesMin} to {BlockBytesMax} bytes.");
        if (members.Offset is < 0 or > OffsetMax)
            throw StreamRefusal.OffsetOutOfBounds($"The offset 'o' is {members.Offset}; it must be 0 to {OffsetMax} blocks.");
        if (members.Count is < 0 or > BlocksMax)
            throw StreamRefusal.BlockCountLimitExceeded($"The number of blocks 'n' is {members.Count}; it must be 0 to {BlocksMax}.");
        if (members.Bitmap?.Length > BitmapBytesMax)
            throw StreamRefusal.BlockBitmapLimitExceeded($"The bitmap 'b' has {members.Bitmap.Length} bytes; it must have at most {BitmapBytesMax}.");
        return new()
        {
            Version = (int?)members.Version, FileId = (int)fileId, BlockBytes = (int)blockBytes, Offset = (int)(members.Offset ?? 0), Count = (int?)members.Count,
            Bitmap = members.Bitmap,
        };
    }

    /// <summary>The numbers of the blocks to send of a file of this length, in ascending order; none when none of those asked for is there.</summary>
    /// <remarks>
    /// The first byte of the bitmap has the first eight blocks, its lowest bit the first of them ("Build a bitmap for a GetStream request").
    /// A count of 0, which the model allows, asks for as many as one answer may have, as no count does.
    /// </remarks>
    public IReadOnlyList<int> BlocksOf(long fileBytes)
    {
        var there = (fileBytes + BlockBytes - 1) / BlockBytes;
        var most = AnswerBytesMax / BlockBytes;
        if (Count is > 0)
            most = Math.Min(most, Count.Value);
        List<int> blocks = [];
        var bits = Bitmap is null ? most : Bitmap.Length * 8;
        for (var bit = 0; bit < bits && blocks.Count < most && Offset + bit < there; bit++)
        {
            if (Bitmap is null || (Bitmap[bit / 8] >> (bit % 8) & 1) == 1)
                blocks.Add(Offset + bit);
        }
        return blocks;
    }
}

/// <summary>The members of a request as they were written, of which none need be there.</summary>
readonly record struct RequestMembers
{
    public string? Token { get; init; }
    public long? Version { get; init; }
    public long? FileId { get; init; }
    public long? BlockBytes { get; init; }
    public long? Offset { get; init; }
    public long? Count { get; init; }
    public byte[]? Bitmap { get; init; }
}

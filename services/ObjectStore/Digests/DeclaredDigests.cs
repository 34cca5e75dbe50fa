using Althing.Api;

namespace Althing.ObjectStore.Digests;

/// <summary>What a client says of the content that it sends: its MD5 and one checksum, in headers or behind the content.</summary>
sealed class DeclaredDigests
{
    readonly string? md5;
    readonly string? checksum;
    readonly RequestContent content;

    public ChecksumAlgorithm Algorithm { get; }

    /// <summary>Whether the checksum comes behind the content.</summary>
    public bool IsInTrailer { get; }

    /// <summary>Whether the client chose the algorithm.</summary>
    public bool IsChosen { get; }

    /// <param name="contentMd5">The header Content-MD5.</param>
    /// <param name="headers">All <c>x-amz-</c> headers by what follows that.</param>
    /// <param name="preset">The algorithm that a multipart upload has chosen.</param>
    /// <exception cref="ServiceException">InvalidDigest, InvalidRequest: what it says cannot be.</exception>
    public DeclaredDigests(RequestContent content, string? contentMd5, IReadOnlyDictionary<string, string> headers, ChecksumAlgorithm? preset = null)
    {
        this.content = content;
        md5 = contentMd5;
        if (md5 is not null && (!Convert.TryFromBase64String(md5, new byte[md5.Length], out var length) || length != 16))
            throw Refuse.InvalidDigest();
        var given = ChecksumAlgorithm.All.Where(a => headers.ContainsKey("checksum-" + a.HeaderName)).ToList();
        if (given.Count > 1)
            throw Refuse.InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.");
        var trailer = headers.GetValueOrDefault("trailer");
        var trailing = ChecksumAlgorithm.All.FirstOrDefault(a => trailer?.Contains("x-amz-checksum-" + a.HeaderName, StringComparison.OrdinalIgnoreCase) == true
            && trailer.Trim().Length == "x-amz-checksum-".Length + a.HeaderName.Length);
        if (trailer is not null && trailing is null)
            throw Refuse.InvalidRequest($"The value specified in the x-amz-trailer header is not supported: '{trailer}'.");
        var named = headers.GetValueOrDefault("sdk-checksum-algorithm") is { } name
            ? ChecksumAlgorithm.Find(name) ?? throw Refuse.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
            : null;
        IsInTrailer = trailing is not null;
        var chosen = given.FirstOrDefault() ?? trailing;
        checksum = given.Count > 0 ? headers["checksum-" + given[0].HeaderName] : null;
        if (checksum is not null && (!Convert.TryFromBase64String(checksum, new byte[checksum.Length], out var bytes) || bytes != given[0].Bytes))
            throw Refuse.InvalidRequest($"Value for x-amz-checksum-{given[0].HeaderName} header is invalid.");
        if (preset is not null && chosen is not null && chosen != preset)
            throw Refuse.InvalidRequest($"Checksum Type mismatch occurred, expected checksum Type: {preset.HeaderName}, actual checksum Type: {chosen.HeaderName}");
        IsChosen = chosen is not null || named is not null;
        Algorithm = chosen ?? preset ?? named ?? ChecksumAlgorithm.Default;
    }

    /// <exception cref="ServiceException">BadDigest: the content is not what the client said.</exception>
    public void Check(ContentDigests found)
    {
        if (md5 is not null && md5 != Convert.ToBase64String(found.Md5))
            throw Refuse.BadDigest("Content-MD5");
        var declared = IsInTrailer ? content.Trailers.TryGetValue("x-amz-checksum-" + Algorithm.HeaderName, out var value) ? value
            : throw Refuse.InvalidRequest($"The trailer x-amz-checksum-{Algorithm.HeaderName} was announced and did not come.") : checksum;
        if (declared is not null && declared != found.Checksum)
            throw Refuse.BadDigest(Algorithm.Name);
    }
}

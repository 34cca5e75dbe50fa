using System.Text.RegularExpressions;
using System.Xml.Serialization;
using Microsoft.AspNetCore.WebUtilities;

namespace Althing.ObjectStore;

/// <summary>Tags as they travel ("Categorizing your objects using tags", Amazon S3 User Guide).</summary>
[XmlRoot("Tagging")]
sealed partial record Tagging
{
    public const int ObjectTagsMax = 10;
    public const int BucketTagsMax = 50;

    [XmlArrayItem("Tag")]
    public required IReadOnlyList<Tag> TagSet { get; init; }

    public static Tagging Of(IReadOnlyDictionary<string, string>? tags) => new() { TagSet = [.. (tags ?? new Dictionary<string, string>()).Select(t => new Tag { Key = t.Key, Value = t.Value })] };

    /// <exception cref="Althing.Api.ServiceException">InvalidTag: they break the rules.</exception>
    public IReadOnlyDictionary<string, string>? Checked(int tagsMax) => Checked(TagSet.Select(t => KeyValuePair.Create(t.Key, t.Value)), tagsMax);

    /// <summary>The tags of the header x-amz-tagging, which has the form of a query string.</summary>
    public static IReadOnlyDictionary<string, string>? FromHeader(string? header) => header is null ? null
        : Checked(QueryHelpers.ParseQuery(header).SelectMany(p => p.Value.Select(v => KeyValuePair.Create(p.Key, v ?? ""))), ObjectTagsMax);

    static Dictionary<string, string>? Checked(IEnumerable<KeyValuePair<string, string>> tags, int tagsMax)
    {
        Dictionary<string, string> kept = new(StringComparer.Ordinal);
        foreach (var (key, value) in tags)
        {
            if (key.Length is 0 or > 128 || value.Length > 256 || !Allowed().IsMatch(key) || !Allowed().IsMatch(value))
                throw Refuse.InvalidTag($"The tag '{key}' is not valid: keys have 1 to 128, values at most 256 letters, digits, spaces and _.:/=+-@.");
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                throw Refuse.InvalidTag("System tags cannot be added or updated by the requester: 'aws:' is reserved.");
            if (!kept.TryAdd(key, value))
                throw Refuse.InvalidTag($"Cannot provide multiple Tags with the same key: '{key}'.");
        }
        if (kept.Count > tagsMax)
            throw new Althing.Api.ServiceException("BadRequest", 400, $"There can be at most {tagsMax} tags; these are {kept.Count}.");
        return kept.Count > 0 ? kept : null;
    }

    [GeneratedRegex(@"\A[\p{L}\p{Z}\p{N}_.:/=+\-@]*\z")]
    private static partial Regex Allowed();
}

sealed record Tag
{
    public required string Key { get; init; }
    public required string Value { get; init; }
}

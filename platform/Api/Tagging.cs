using System.Text.RegularExpressions;
using Althing.Storage;

namespace Althing.Api;

/// <summary>The tags of one resource, under its ARN without the region, because a resource is the same through every region.</summary>
public sealed record ResourceTags
{
    public static readonly Table<ResourceTags> Table = new("tags", t => (t.Account, t.Resource));

    public required AccountId Account { get; init; }

    /// <summary>Service and resource, such as <c>iot:thinggroup/pumps</c>.</summary>
    public required string Resource { get; init; }
    public required IReadOnlyDictionary<string, string> Tags { get; init; }
}

/// <summary>Tags of resources of all services ("Tagging your AWS resources").</summary>
public sealed partial class TagStore(IStore store)
{
    public const int TagsMax = 50;

    public async ValueTask<IReadOnlyDictionary<string, string>> Get(AccountId account, string resource, CancellationToken cancel) =>
        await store.Get(ResourceTags.Table, account, resource, cancel) is { } row ? row.Value.Tags : new Dictionary<string, string>();

    /// <summary>Adds tags, or changes the values of those there are, within a batch.</summary>
    /// <param name="invalid">Makes the API's exception for tags that break the rules.</param>
    public async ValueTask Add(Batch batch, AccountId account, string resource, IEnumerable<KeyValuePair<string, string>> tags, Func<string, ServiceException> invalid, CancellationToken cancel)
    {
        var row = await store.Get(ResourceTags.Table, account, resource, cancel);
        Dictionary<string, string> merged = row is { } known ? new(known.Value.Tags) : [];
        HashSet<string> given = new(StringComparer.Ordinal);
        foreach (var (key, value) in tags)
        {
            if (!given.Add(key))
                throw invalid($"The tag key '{key}' is given more than once.");
            if (Problem(key, value) is { } problem)
                throw invalid(problem);
            merged[key] = value;
        }
        if (given.Count == 0)
            return;
        if (merged.Count > TagsMax)
            throw invalid($"A resource has at most {TagsMax} tags; this one would have {merged.Count}.");
        Write(batch, row, new() { Account = account, Resource = resource, Tags = merged });
    }

    /// <summary>Removes tags by key within a batch; keys that are not there do not matter.</summary>
    public async ValueTask Remove(Batch batch, AccountId account, string resource, IEnumerable<string> keys, CancellationToken cancel)
    {
        if (await store.Get(ResourceTags.Table, account, resource, cancel) is { } row)
            Write(batch, row, row.Value with { Tags = row.Value.Tags.Where(t => !keys.Contains(t.Key)).ToDictionary() });
    }

    /// <summary>Removes all tags of a resource that goes.</summary>
    public static void Forget(Batch batch, AccountId account, string resource) => batch.Delete(ResourceTags.Table, account, resource);

    static void Write(Batch batch, Row<ResourceTags>? row, ResourceTags tags)
    {
        if (row is { } read)
            batch.Replace(ResourceTags.Table, read, tags);
        else
            batch.Add(ResourceTags.Table, tags);
    }

    static string? Problem(string key, string value)
    {
        if (key.Length is 0 or > 128)
            return $"The tag key '{key}' must have 1 to 128 characters.";
        if (value.Length > 256)
            return $"The value of the tag '{key}' must have at most 256 characters.";
        if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
            return $"The tag key '{key}' begins with 'aws:', which is reserved.";
        return Allowed().IsMatch(key) && Allowed().IsMatch(value) ? null
            : $"The tag '{key}' has characters that are not allowed: letters, digits, spaces and _.:/=+-@ are.";
    }

    [GeneratedRegex(@"\A[\p{L}\p{Z}\p{N}_.:/=+\-@]*\z")]
    private static partial Regex Allowed();
}

using System.Text.Json.Serialization;
using Althing.Api;

namespace Althing.Core;

/// <summary>A tag as requests carry it.</summary>
public sealed record Tag
{
    [Length(1, 128), Pattern(Names.TagKey), JsonPropertyName("Key")]
    public required string Key { get; init; }
    [Length(0, 256), JsonPropertyName("Value")]
    public string? Value { get; init; }
}

/// <summary>Tags given at a resource's creation.</summary>
public static class CreationTags
{
    /// <summary>Adds them to the batch that creates the resource.</summary>
    /// <param name="resource">Service and resource, such as <c>iot:policy/NAME</c>: see <see cref="ResourceTags"/>.</param>
    public static async ValueTask AddTags(
        this TagStore store, Storage.Batch batch, Storage.AccountId account, string resource, IReadOnlyList<Tag>? tags, CancellationToken cancel)
    {
        if (tags is not { Count: > 0 })
            return;
        if (tags.Select(t => t.Key).Distinct(StringComparer.Ordinal).Count() < tags.Count)
            throw Refuse.InvalidRequest("A tag key is given twice.");
        await store.Add(batch, account, resource, tags.Select(t => KeyValuePair.Create(t.Key, t.Value ?? "")), Refuse.InvalidRequest, cancel);
    }

    /// <summary>Whether a resource has these tags and no others: what makes a repeated creation the same one.</summary>
    public static async ValueTask<bool> AreSame(
        this TagStore store, Storage.AccountId account, string resource, IReadOnlyList<Tag>? tags, CancellationToken cancel)
    {
        var there = await store.Get(account, resource, cancel);
        var given = (tags ?? []).Select(t => KeyValuePair.Create(t.Key, t.Value ?? "")).ToList();
        return there.Count == given.Count && given.All(t => there.TryGetValue(t.Key, out var value) && value == t.Value);
    }
}

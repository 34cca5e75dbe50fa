using Althing.Api;

namespace Althing.Core.Things;

/// <summary>The attributes of a thing or thing group as requests carry them.</summary>
sealed record AttributePayload
{
    [Each(LengthMax = 800, Pattern = Names.AttributeValue, KeyLengthMax = 128, KeyPattern = Names.AttributeName)]
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }

    /// <summary>Whether an update adds to the attributes there are; otherwise it takes their place.</summary>
    public bool? Merge { get; init; }

    /// <summary>The attributes once this payload has been applied to those there were. An empty value takes the attribute away.</summary>
    public IReadOnlyDictionary<string, string> ApplyTo(IReadOnlyDictionary<string, string>? before)
    {
        Dictionary<string, string> after = before is not null && (Merge is true || Attributes is null) ? new(before) : [];
        foreach (var (name, value) in Attributes ?? new Dictionary<string, string>())
        {
            if (value.Length == 0)
                after.Remove(name);
            else
                after[name] = value;
        }
        return after;
    }

    public static bool AreEqual(IReadOnlyDictionary<string, string>? left, IReadOnlyDictionary<string, string>? right) =>
        (left?.Count ?? 0) == (right?.Count ?? 0) && (left is null || left.All(a => right!.TryGetValue(a.Key, out var other) && other == a.Value));
}

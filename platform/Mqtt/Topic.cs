namespace Althing.Mqtt;

/// <summary>The rules of topic names and filters (section 4.7).</summary>
public static class Topic
{
    /// <summary>May be published to: not empty, no wildcard, no null character.</summary>
    public static bool IsValidName(ReadOnlySpan<char> topic) => !topic.IsEmpty && !topic.ContainsAny('+', '#', '\0');

    /// <summary>May be subscribed to: <c>+</c> and <c>#</c> stand alone in their level, <c>#</c> in the last.</summary>
    public static bool IsValidFilter(ReadOnlySpan<char> filter)
    {
        if (filter.IsEmpty || filter.Contains('\0'))
            return false;
        foreach (var range in filter.Split('/'))
        {
            var level = filter[range];
            if (level.Contains('#') && (level.Length > 1 || range.End.GetOffset(filter.Length) != filter.Length))
                return false;
            if (level.Contains('+') && level.Length > 1)
                return false;
        }
        return true;
    }

    public static bool HasWildcard(ReadOnlySpan<char> filter) => filter.ContainsAny('+', '#');

    /// <summary>Does the filter match the name? Wildcards in the first level never match names that begin with <c>$</c> [MQTT-4.7.2-1].</summary>
    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> name)
    {
        if (name.Length > 0 && name[0] == '$' && filter.Length > 0 && filter[0] is '+' or '#')
            return false;
        while (true)
        {
            var filterEnd = filter.IndexOf('/');
            var nameEnd = name.IndexOf('/');
            var level = filterEnd < 0 ? filter : filter[..filterEnd];
            if (level is "#")
                return true;
            if (level is not "+" && !level.SequenceEqual(nameEnd < 0 ? name : name[..nameEnd]))
                return false;
            if (filterEnd < 0 && nameEnd < 0)
                return true;
            if (filterEnd < 0)
                return false;
            // "a/#" matches "a" as well.
            if (nameEnd < 0)
                return filter[(filterEnd + 1)..] is "#";
            filter = filter[(filterEnd + 1)..];
            name = name[(nameEnd + 1)..];
        }
    }

    /// <summary>Takes <c>$share/group/filter</c> apart; the group is null for other filters.</summary>
    public static (string? Group, string Filter) SplitShared(string filter)
    {
        const string prefix = "$share/";
        if (!filter.StartsWith(prefix, StringComparison.Ordinal))
            return (null, filter);
        var slash = filter.IndexOf('/', prefix.Length);
        return slash > prefix.Length ? (filter[prefix.Length..slash], filter[(slash + 1)..]) : ("", "");
    }

    /// <summary>How many slashes it has.</summary>
    public static int Slashes(ReadOnlySpan<char> topic) => topic.Count('/');
}

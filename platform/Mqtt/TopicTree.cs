namespace Althing.Mqtt;

/// <summary>Values by topic filter, found by topic name. Not safe for threads: its owner locks.</summary>
public sealed class TopicTree<T>
{
    readonly Node root = new();

    sealed class Node
    {
        public Dictionary<string, Node>? Children;
        public Node? Plus;
        public List<T>? Here;
        public List<T>? Hash;

        public bool IsEmpty => Children is null or { Count: 0 } && Plus is null && Here is null or { Count: 0 } && Hash is null or { Count: 0 };
    }

    public void Add(string filter, T value)
    {
        var node = root;
        foreach (var range in filter.AsSpan().Split('/'))
        {
            var level = filter.AsSpan()[range];
            if (level is "#")
            {
                (node.Hash ??= []).Add(value);
                return;
            }
            if (level is "+")
            {
                node = node.Plus ??= new();
                continue;
            }
            var children = (node.Children ??= new(StringComparer.Ordinal)).GetAlternateLookup<ReadOnlySpan<char>>();
            if (!children.TryGetValue(level, out var child))
                children[level] = child = new();
            node = child;
        }
        (node.Here ??= []).Add(value);
    }

    /// <summary>Removes one value that equals this; false when there is none.</summary>
    public bool Remove(string filter, T value) => Remove(root, filter.Split('/'), 0, value);

    static bool Remove(Node node, string[] levels, int at, T value)
    {
        if (at == levels.Length)
            return node.Here?.Remove(value) == true;
        if (levels[at] == "#")
            return node.Hash?.Remove(value) == true;
        var child = levels[at] == "+" ? node.Plus : node.Children?.GetValueOrDefault(levels[at]);
        if (child is null || !Remove(child, levels, at + 1, value))
            return false;
        if (child.IsEmpty)
        {
            if (levels[at] == "+")
                node.Plus = null;
            else
                node.Children!.Remove(levels[at]);
        }
        return true;
    }

    /// <summary>Adds all values whose filter matches the name.</summary>
    public void Match(string topic, List<T> found) => Match(root, topic, first: true, found);

    static void Match(Node node, ReadOnlySpan<char> rest, bool first, List<T> found)
    {
        var slash = rest.IndexOf('/');
        var level = slash < 0 ? rest : rest[..slash];
        // Wildcards in the first level leave the reserved topics alone. [MQTT-4.7.2-1]
        var wild = !first || !level.StartsWith("$");
        if (wild && node.Hash is { } hash)
            found.AddRange(hash);
        if (node.Children is { } children && children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var child))
            Step(child, rest, slash, found);
        if (wild && node.Plus is { } plus)
            Step(plus, rest, slash, found);
    }

    static void Step(Node node, ReadOnlySpan<char> rest, int slash, List<T> found)
    {
        if (slash >= 0)
        {
            Match(node, rest[(slash + 1)..], first: false, found);
            return;
        }
        if (node.Here is { } here)
            found.AddRange(here);
        // "a/#" matches "a" as well.
        if (node.Hash is { } hash)
            found.AddRange(hash);
    }
}

namespace Althing.Api;

/// <summary>The routes of one API: which operation a method and raw path mean. Literal segments win over labels.</summary>
sealed class RouteTable
{
    readonly Dictionary<string, Node> roots = new(StringComparer.Ordinal);

    sealed class Node
    {
        public Dictionary<string, Node> Literals { get; } = new(StringComparer.Ordinal);
        public Node? Label { get; set; }
        public OperationInfo? Leaf { get; set; }
        public OperationInfo? Greedy { get; set; }
    }

    public void Add(OperationInfo operation)
    {
        var node = roots.TryGetValue(operation.Method!, out var root) ? root : roots[operation.Method!] = new();
        foreach (var segment in operation.RoutePath.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (segment.EndsWith("+}", StringComparison.Ordinal))
            {
                if (node.Greedy is { } greedy)
                    throw new InvalidOperationException($"{operation.Name} and {greedy.Name} of {operation.Api.Name} share {operation.Method} {operation.Template}.");
                node.Greedy = operation;
                return;
            }
            node = segment.StartsWith('{')
                ? node.Label ??= new()
                : node.Literals.TryGetValue(segment, out var next) ? next : node.Literals[segment] = new();
        }
        if (node.Leaf is { } taken)
            throw new InvalidOperationException($"{operation.Name} and {taken.Name} of {operation.Api.Name} share {operation.Method} {operation.Template}.");
        node.Leaf = operation;
    }

    /// <summary>Finds the operation for a raw, still percent-encoded path.</summary>
    public OperationInfo? Find(string method, string rawPath)
    {
        if (!roots.TryGetValue(method, out var root))
            return null;
        var segments = rawPath.Trim('/').Split('/');
        // No client sends these: libraries resolve them first. Whoever does is looking for a way around.
        if (segments.Any(s => s is "." or ".."))
            return null;
        return Find(root, segments, 0);
    }

    static OperationInfo? Find(Node node, string[] segments, int at)
    {
        if (at == segments.Length || (at == 0 && segments is [""]))
            return node.Leaf;
        if (node.Literals.TryGetValue(segments[at], out var literal) && Find(literal, segments, at + 1) is { } exact)
            return exact;
        // An empty segment is an empty label, which no constraint lets pass: not found is the clearer answer.
        if (node.Label is { } label && segments[at].Length > 0 && Find(label, segments, at + 1) is { } labelled)
            return labelled;
        return node.Greedy;
    }

    /// <summary>The values of the labels, percent-decoded once.</summary>
    public static Dictionary<string, string> Labels(OperationInfo operation, string rawPath)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        var names = operation.LabelSegments;
        var segments = rawPath.Trim('/').Split('/');
        for (var i = 0; i < names.Count && i < segments.Length; i++)
        {
            if (names[i] is not { } name)
                continue;
            var raw = name.EndsWith('+') ? string.Join('/', segments[i..]) : segments[i];
            labels[name.TrimEnd('+')] = Uri.UnescapeDataString(raw);
        }
        return labels;
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Althing.Simulator;

/// <summary>A scenario file that cannot be understood: where, what, and what to do.</summary>
public sealed class ScenarioException(string file, Mark at, string message) : Exception($"{file}:{at.Line}:{at.Column}: {message}");

/// <summary>Reads scenario files. Nothing in them is ignored: a key that is not known is an error.</summary>
public static partial class ScenarioFile
{
    static readonly string[] Kinds = ["constant", "sine", "walk", "follow", "toggle", "counter", "choice", "route"];

    /// <exception cref="ScenarioException">The text is no scenario.</exception>
    public static Scenario Parse(string file, string yaml)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException bad)
        {
            throw new ScenarioException(file, bad.Start, bad.InnerException?.Message ?? bad.Message);
        }
        catch (InvalidOperationException unclosed)
        {
            // The library's own way of saying that a list or map is not closed.
            throw new ScenarioException(file, new Mark(0, 1, 1), "The file is no YAML, perhaps a bracket is not closed. " + unclosed.Message);
        }
        if (stream.Documents.Count == 0)
            throw new ScenarioException(file, Mark.Empty, "The file is empty.");
        if (stream.Documents.Count > 1)
            throw new ScenarioException(file, stream.Documents[1].RootNode.Start, "There is a second document behind '---': a file describes one fleet, give each a file.");
        var root = new Node(file, stream.Documents[0].RootNode, "the scenario");
        root.Allow("fleet", "description", "devices", "signals", "faults", "reports", "events", "commands");
        var devices = root.Need("devices");
        devices.Allow("count", "name", "type", "group", "attributes");
        var signals = root.Need("signals").Entries().Select(e => ReadSignal(e.Key, e.Value)).ToList();
        var scenario = new Scenario
        {
            Fleet = root.Need("fleet").Name(),
            Description = root.Need("description").Text(),
            Count = devices.Need("count").Whole(1, 1000),
            Name = devices.Need("name").Text(),
            ThingType = devices.Need("type").Name(),
            Group = devices.Need("group").Name(),
            Attributes = devices.Find("attributes")?.Entries().ToDictionary(e => e.Key, e => e.Value.Words()) ?? [],
            Signals = signals,
            Faults = [.. (root.Find("faults")?.Entries() ?? []).Select(e => ReadFault(e.Key, e.Value, signals))],
            Reports = [.. root.Need("reports").Items().Select(r => ReadReport(r, signals))],
            Events = [.. (root.Find("events")?.Items() ?? []).Select(ReadEvent)],
            Commands = root.Find("commands")?.Text(),
        };
        root.Find("commands")?.Topic(scenario.Fleet);
        foreach (var topic in root.Need("reports").Items().Concat(root.Find("events")?.Items() ?? []).Select(m => m.Need("topic")))
            topic.Topic(scenario.Fleet);
        foreach (var follow in signals.OfType<FollowSignal>())
            CheckFollowed(follow, root.Need("signals").Need(follow.Name).Need("follow").Need("target"), signals);
        devices.Need("name").NameOf(scenario);
        if (scenario.Count > 1 && scenario.NameOf(1) == scenario.NameOf(2))
            throw devices.Need("name").Error("the name has no {n}, {nn} or {nnn}, so that all devices would be called the same.");
        return scenario;
    }

    static SignalPlan ReadSignal(string name, Node node)
    {
        node.Allow([.. Kinds, "decimals"]);
        var given = Kinds.Where(k => node.Find(k) is not null).ToList();
        if (given.Count != 1)
            throw node.Error($"signal '{name}' needs exactly one of {string.Join(", ", Kinds)}.");
        var kind = node.Need(given[0]);
        SignalPlan signal = given[0] switch
        {
            "constant" => new ConstantSignal(name, kind.Number()),
            "sine" => new SineSignal(name, kind.In("min", "max", "period").Need("min").Number(), kind.Above("max", "min"), kind.Need("period").Time()),
            "walk" => new WalkSignal(name, kind.In("min", "max", "step").Need("min").Number(), kind.Above("max", "min"), kind.Need("step").Number()),
            "follow" => new FollowSignal(name, kind.In("target", "lag", "noise").Need("target").Text(), kind.Need("lag").Time(), kind.Find("noise")?.Number() ?? 0),
            "toggle" => new ToggleSignal(name, kind.In("on", "off").Need("on").Time(), kind.Need("off").Time()),
            "counter" => new CounterSignal(name, kind.In("from", "to", "per-second").Need("from").Number(), kind.Above("to", "from"), kind.Need("per-second").Number()),
            "choice" => new ChoiceSignal(name, kind.In("values", "every").Need("values").Words(), kind.Need("every").Time()),
            _ => new RouteSignal(name, kind.In("points", "speed").Need("points").Points(), kind.Need("speed").Number()),
        };
        return signal with { Decimals = node.Find("decimals")?.Whole(0, 9) ?? 1 };
    }

    static FaultPlan ReadFault(string name, Node node, List<SignalPlan> signals)
    {
        node.Allow("every", "lasts", "add", "set");
        var add = node.Find("add")?.Entries().ToDictionary(e => Known(e.Key, e.Value, signals), e => e.Value.Number()) ?? [];
        var set = node.Find("set")?.Entries().ToDictionary(e => Known(e.Key, e.Value, signals), e => e.Value.Scalar()) ?? [];
        return add.Count + set.Count > 0 ? new(name, node.Need("every").Time(), node.Need("lasts").Time(), add, set)
            : throw node.Error($"fault '{name}' does nothing: give 'add' or 'set'.");
    }

    static ReportPlan ReadReport(Node node, List<SignalPlan> signals)
    {
        node.Allow("topic", "every", "qos", "signals");
        var names = node.Find("signals")?.Words() ?? [];
        foreach (var name in names)
            Known(name, node.Need("signals"), signals);
        return new(node.Need("topic").Text(), node.Need("every").Time(), node.Find("qos")?.Whole(0, 1) ?? 0, names);
    }

    static EventPlan ReadEvent(Node node)
    {
        node.Allow("topic", "average", "qos", "fields");
        return new(node.Need("topic").Text(), node.Need("average").Time(), node.Find("qos")?.Whole(0, 1) ?? 1,
            node.Find("fields")?.Entries().ToDictionary(e => e.Key, e => e.Value.Words()) ?? []);
    }

    static void CheckFollowed(FollowSignal follow, Node at, List<SignalPlan> signals)
    {
        if (signals.First(s => s.Name == Known(follow.Target, at, signals)) is not (ConstantSignal or SineSignal or WalkSignal or CounterSignal))
            throw at.Error($"'{follow.Target}' cannot be followed: only a constant, a sine, a walk or a counter can.");
    }

    static string Known(string name, Node at, List<SignalPlan> signals) =>
        signals.Any(s => s.Name == name) ? name : throw at.Error($"there is no signal '{name}'. Those there are: {string.Join(", ", signals.Select(s => s.Name))}.");

    /// <summary>A node with its place, read strictly.</summary>
    sealed partial class Node(string file, YamlNode yaml, string what)
    {
        /// <summary>Of any unit: what is longer than a century of hours is a slip of the pen.</summary>
        const double TimeCountMax = 876_000;

        public ScenarioException Error(string message) => new(file, yaml.Start, message);

        public Node In(params string[] keys)
        {
            Allow(keys);
            return this;
        }

        public void Allow(params string[] keys)
        {
            foreach (var (key, value) in Entries())
            {
                if (!keys.Contains(key))
                    throw value.Error($"'{key}' is not known in {what}; {string.Join(", ", keys)} are.");
            }
        }

        public IEnumerable<KeyValuePair<string, Node>> Entries() => yaml is YamlMappingNode map
            ? map.Children.Select(c => KeyValuePair.Create(new Node(file, c.Key, "a key").Text(), new Node(file, c.Value, $"'{c.Key}'")))
            : throw Error($"{what} must have keys and values.");

        public IEnumerable<Node> Items() => yaml is YamlSequenceNode list ? list.Children.Select(c => new Node(file, c, $"an entry of {what}"))
            : throw Error($"{what} must be a list.");

        public Node? Find(string key) => Entries().FirstOrDefault(e => e.Key == key).Value;

        public Node Need(string key) => Find(key) ?? throw Error($"{what} needs '{key}'.");

        public string Text() => yaml is YamlScalarNode { Value: { Length: > 0 } text } ? text : throw Error($"{what} must be a text.");

        public double Number() => double.TryParse(Text(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number
            : throw Error($"{what} is '{Text()}' and must be a number.");

        /// <summary>The number at a key, which must be greater than that at another.</summary>
        public double Above(string key, string low) => Need(key).Number() > Need(low).Number() ? Need(key).Number()
            : throw Need(key).Error($"'{key}' must be greater than '{low}'.");

        /// <summary>A name as the registry takes it, which is also one level of a topic.</summary>
        public string Name() => NamePattern().IsMatch(Text()) ? Text()
            : throw Error($"{what} is '{Text()}' and must be 1 to 100 letters, digits, ':', '_' or '-'.");

        public void NameOf(Scenario scenario)
        {
            if (!NamePattern().IsMatch(scenario.NameOf(scenario.Count)))
                throw Error($"{what} makes the name '{scenario.NameOf(scenario.Count)}'; a name is 1 to 100 letters, digits, ':', '_' or '-'.");
        }

        /// <summary>The devices' policy lets each of them speak and listen below its own name alone.</summary>
        public void Topic(string fleet)
        {
            var own = $"demo/{fleet}/{{name}}/";
            if (!Text().StartsWith(own, StringComparison.Ordinal) || Text().Length == own.Length || Text().AsSpan(own.Length).ContainsAny("+#{}\0"))
                throw Error($"{what} is '{Text()}' and must be {own} and one or more levels without '+', '#' and braces: more the devices' policy does not allow.");
        }

        public int Whole(int min, int max) => int.TryParse(Text(), CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number
            : throw Error($"{what} is '{Text()}' and must be a whole number from {min} to {max}.");

        public TimeSpan Time()
        {
            if (TimePattern().Match(Text()) is not { Success: true } match || double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) is not (> 0 and <= TimeCountMax and var count))
                throw Error($"{what} is '{Text()}' and must be a time such as 500ms, 10s, 5m or 2h.");
            return match.Groups[2].Value switch { "ms" => TimeSpan.FromMilliseconds(count), "s" => TimeSpan.FromSeconds(count), "m" => TimeSpan.FromMinutes(count), _ => TimeSpan.FromHours(count) };
        }

        public IReadOnlyList<string> Words() => yaml is not YamlSequenceNode list ? [Text()]
            : list.Children.Count > 0 ? [.. Items().Select(i => i.Text())] : throw Error($"{what} is an empty list and needs an entry.");

        /// <summary>A number, true or false, or a text.</summary>
        public object Scalar() => Text() switch
        {
            "true" => true,
            "false" => false,
            var text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : text,
        };

        public IReadOnlyList<(double, double)> Points()
        {
            var points = Items().Select(i => i.Items().Select(c => c.Number()).ToList()).ToList();
            return points.Count >= 2 && points.All(p => p.Count == 2) ? [.. points.Select(p => (p[0], p[1]))]
                : throw Error($"{what} must be two or more pairs [latitude, longitude].");
        }

        [GeneratedRegex(@"^[a-zA-Z0-9:_-]{1,100}\z")]
        private static partial Regex NamePattern();

        [GeneratedRegex(@"^(\d+(?:\.\d+)?)(ms|s|m|h)$")]
        private static partial Regex TimePattern();
    }
}

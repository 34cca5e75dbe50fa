namespace Althing.Simulator;

/// <summary>A fleet of like devices and how they behave, as a scenario file describes it (docs/guide/demo-fleet.md).</summary>
public sealed record Scenario
{
    public required string Fleet { get; init; }
    public required string Description { get; init; }

    /// <summary>How many devices.</summary>
    public required int Count { get; init; }

    /// <summary>Thing names: <c>{n}</c> is the device's number from 1, <c>{nn}</c> and <c>{nnn}</c> with leading zeros.</summary>
    public required string Name { get; init; }
    public required string ThingType { get; init; }
    public required string Group { get; init; }

    /// <summary>Thing attributes; of several values each device takes the next.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Attributes { get; init; }
    public required IReadOnlyList<SignalPlan> Signals { get; init; }
    public required IReadOnlyList<FaultPlan> Faults { get; init; }
    public required IReadOnlyList<ReportPlan> Reports { get; init; }
    public required IReadOnlyList<EventPlan> Events { get; init; }

    /// <summary>Where the device listens for JSON that sets signals: <c>{"setpoint": -20}</c>. Null for none.</summary>
    public string? Commands { get; init; }

    public string NameOf(int number)
    {
        var name = Name;
        foreach (var (mark, digits) in new[] { ("{nnn}", "D3"), ("{nn}", "D2"), ("{n}", "D1") })
            name = name.Replace(mark, number.ToString(digits, System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return name;
    }
}

/// <summary>A value that changes with time.</summary>
public abstract record SignalPlan(string Name)
{
    /// <summary>Digits behind the point in messages.</summary>
    public int Decimals { get; init; } = 1;
}

/// <summary>Stays as it is until a command or a fault changes it.</summary>
public sealed record ConstantSignal(string Name, double Value) : SignalPlan(Name);

/// <summary>Swings between two values once a period.</summary>
public sealed record SineSignal(string Name, double Min, double Max, TimeSpan Period) : SignalPlan(Name);

/// <summary>Wanders by at most a step a second, within bounds.</summary>
public sealed record WalkSignal(string Name, double Min, double Max, double Step) : SignalPlan(Name);

/// <summary>Draws near another signal, with a time constant, and trembles by a little.</summary>
public sealed record FollowSignal(string Name, string Target, TimeSpan Lag, double Noise) : SignalPlan(Name);

/// <summary>Is true for about one time, then false for about another.</summary>
public sealed record ToggleSignal(string Name, TimeSpan On, TimeSpan Off) : SignalPlan(Name);

/// <summary>Grows by a rate a second and begins again at the end of its range.</summary>
public sealed record CounterSignal(string Name, double From, double To, double PerSecond) : SignalPlan(Name);

/// <summary>One of several words, changing now and then.</summary>
public sealed record ChoiceSignal(string Name, IReadOnlyList<string> Values, TimeSpan Every) : SignalPlan(Name);

/// <summary>A position on a closed way between points of latitude and longitude, at a speed in km/h.</summary>
public sealed record RouteSignal(string Name, IReadOnlyList<(double Latitude, double Longitude)> Points, double Speed) : SignalPlan(Name);

/// <summary>Something that goes wrong now and then: while it lasts it adds to signals or sets them.</summary>
/// <param name="Every">The mean time between two.</param>
/// <param name="Lasts">The mean time each takes.</param>
/// <param name="Add">What is added to number signals, growing to its full value over the fault's time.</param>
/// <param name="Set">What signals are while it lasts.</param>
public sealed record FaultPlan(
    string Name, TimeSpan Every, TimeSpan Lasts, IReadOnlyDictionary<string, double> Add, IReadOnlyDictionary<string, object> Set);

/// <summary>A message sent again and again, with these signals, or all.</summary>
public sealed record ReportPlan(string Topic, TimeSpan Every, int QoS, IReadOnlyList<string> Signals);

/// <summary>A message sent by chance, on average once a time, with one of several words in each field.</summary>
public sealed record EventPlan(string Topic, TimeSpan Average, int QoS, IReadOnlyDictionary<string, IReadOnlyList<string>> Fields);

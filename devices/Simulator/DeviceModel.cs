using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Simulator;

/// <summary>
/// The inside of one simulated device: its signals and faults, moved on by time alone. The same seed gives the same life.
/// </summary>
public sealed class DeviceModel
{
    const double EarthKilometresPerDegree = 111.32;

    /// <summary>No command sets anything beyond it: differences and sums of signals must stay numbers that JSON can write.</summary>
    const double CommandMax = 1e9;

    readonly Scenario scenario;
    readonly Random random;
    readonly Dictionary<string, Signal> signals = new(StringComparer.Ordinal);
    readonly List<Fault> faults;
    double now;

    sealed class Signal(SignalPlan plan)
    {
        public SignalPlan Plan { get; } = plan;
        public double Number;
        public bool Flag;
        public string Word = "";
        public double NextChange;
        public double Phase;
        public double? Commanded;
    }

    sealed class Fault(FaultPlan plan)
    {
        public FaultPlan Plan { get; } = plan;
        public double Starts;
        public double Ends;
    }

    public DeviceModel(Scenario scenario, int seed)
    {
        this.scenario = scenario;
        random = new(seed);
        foreach (var plan in scenario.Signals)
            signals.Add(plan.Name, Begin(plan));
        // What follows another signal begins where that is.
        foreach (var signal in signals.Values)
        {
            if (signal.Plan is FollowSignal follow)
                signal.Number = signals[follow.Target].Number;
        }
        faults = [.. scenario.Faults.Select(f => Plan(new Fault(f), 0))];
    }

    /// <summary>The version that runs on the device; jobs change it.</summary>
    public string Firmware { get; set; } = "1.0.0";

    /// <summary>The faults that last now.</summary>
    public IEnumerable<string> ActiveFaults => faults.Where(IsActive).Select(f => f.Plan.Name);

    Signal Begin(SignalPlan plan)
    {
        var signal = new Signal(plan) { Phase = random.NextDouble() };
        switch (plan)
        {
            case ConstantSignal constant:
                signal.Number = constant.Value;
                break;
            case WalkSignal walk:
                signal.Number = walk.Min + ((walk.Max - walk.Min) * (0.25 + (random.NextDouble() / 2)));
                break;
            case CounterSignal counter:
                signal.Number = counter.From + ((counter.To - counter.From) * signal.Phase);
                break;
            case ToggleSignal toggle:
                signal.NextChange = Chance(toggle.Off);
                break;
            case ChoiceSignal choice:
                signal.Word = choice.Values[random.Next(choice.Values.Count)];
                signal.NextChange = Chance(choice.Every);
                break;
        }
        return signal;
    }

    /// <summary>A time that is this long on average, as rare things are apart.</summary>
    public double Chance(TimeSpan average) => -Math.Log(1 - random.NextDouble()) * average.TotalSeconds;

    public string OneOf(IReadOnlyList<string> words) => words[random.Next(words.Count)];

    Fault Plan(Fault fault, double from)
    {
        fault.Starts = from + Chance(fault.Plan.Every);
        fault.Ends = fault.Starts + Math.Max(1, Chance(fault.Plan.Lasts));
        return fault;
    }

    bool IsActive(Fault fault) => now >= fault.Starts && now < fault.Ends;

    /// <summary>Lets time pass.</summary>
    public void Advance(TimeSpan by)
    {
        var seconds = by.TotalSeconds;
        now += seconds;
        foreach (var signal in signals.Values)
            Move(signal, seconds);
        foreach (var fault in faults.Where(f => now >= f.Ends))
            Plan(fault, now);
    }

    void Move(Signal signal, double seconds)
    {
        switch (signal.Plan)
        {
            case SineSignal sine:
                signal.Number = sine.Min + ((sine.Max - sine.Min) * (0.5 + (0.5 * Math.Sin(2 * Math.PI * ((now / sine.Period.TotalSeconds) + signal.Phase)))));
                break;
            case WalkSignal walk:
                signal.Number = Math.Clamp(signal.Number + (((random.NextDouble() * 2) - 1) * walk.Step * Math.Sqrt(seconds)), walk.Min, walk.Max);
                break;
            case FollowSignal follow:
                var target = Number(signals[follow.Target]);
                signal.Number += (target - signal.Number) * (1 - Math.Exp(-seconds / follow.Lag.TotalSeconds));
                signal.Number += ((random.NextDouble() * 2) - 1) * follow.Noise;
                break;
            case CounterSignal counter:
                signal.Number += counter.PerSecond * seconds;
                if ((counter.PerSecond >= 0) ? signal.Number > counter.To : signal.Number < counter.From)
                    signal.Number = counter.PerSecond >= 0 ? counter.From : counter.To;
                break;
            case ToggleSignal toggle when now >= signal.NextChange:
                signal.Flag = !signal.Flag;
                signal.NextChange = now + Math.Max(1, Chance(signal.Flag ? toggle.On : toggle.Off));
                break;
            case ChoiceSignal choice when now >= signal.NextChange:
                signal.Word = OneOf(choice.Values);
                signal.NextChange = now + Math.Max(1, Chance(choice.Every));
                break;
            case RouteSignal route:
                signal.Number += route.Speed / 3600 * seconds;
                break;
        }
    }

    /// <summary>Sets constants by their names, as a command asks; others are refused by not being answered.</summary>
    public IReadOnlyList<string> Command(JsonObject wishes)
    {
        List<string> done = [];
        foreach (var (name, value) in wishes)
        {
            if (signals.TryGetValue(name, out var signal) && signal.Plan is ConstantSignal && value?.GetValueKind() == JsonValueKind.Number
                && double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture) is >= -CommandMax and <= CommandMax and var wish)
            {
                signal.Commanded = wish;
                done.Add(name);
            }
        }
        return done;
    }

    /// <summary>What commands can set, as it is set now.</summary>
    public JsonObject Settings() => new(signals.Values.Where(s => s.Plan is ConstantSignal).Select(s =>
        KeyValuePair.Create(s.Plan.Name, (JsonNode?)JsonValue.Create(Math.Round(s.Commanded ?? s.Number, s.Plan.Decimals)))));

    /// <summary>The signals as a message has them, and the faults that last.</summary>
    public JsonObject Report(IReadOnlyList<string> names)
    {
        var report = new JsonObject();
        foreach (var signal in signals.Values.Where(s => names.Count == 0 || names.Contains(s.Plan.Name)))
            report[signal.Plan.Name] = Value(signal);
        if (ActiveFaults.ToList() is { Count: > 0 } active)
            report["faults"] = new JsonArray([.. active.Select(f => JsonValue.Create(f))]);
        return report;
    }

    JsonNode Value(Signal signal)
    {
        foreach (var fault in faults.Where(IsActive))
        {
            if (fault.Plan.Set.TryGetValue(signal.Plan.Name, out var set))
                return set switch { bool flag => JsonValue.Create(flag), double number => JsonValue.Create(number), _ => JsonValue.Create((string)set) };
        }
        return signal.Plan switch
        {
            ToggleSignal => JsonValue.Create(signal.Flag),
            ChoiceSignal => JsonValue.Create(signal.Word),
            RouteSignal route => Position(route, signal),
            _ => JsonValue.Create(Math.Round(Number(signal), signal.Plan.Decimals)),
        };
    }

    /// <summary>The number with what the faults add to it by now.</summary>
    double Number(Signal signal) => (signal.Commanded ?? signal.Number) + faults.Where(IsActive).Sum(f =>
        f.Plan.Add.TryGetValue(signal.Plan.Name, out var add) ? add * Math.Min(1, (now - f.Starts) / Math.Max(1, (f.Ends - f.Starts) / 2)) : 0);

    static JsonObject Position(RouteSignal route, Signal signal)
    {
        var legs = route.Points.Select((p, i) => (From: p, To: route.Points[(i + 1) % route.Points.Count])).Select(l => (l.From, l.To, Length: Distance(l.From, l.To))).ToList();
        var total = legs.Sum(l => l.Length);
        var at = (signal.Number + (signal.Phase * total)) % total;
        foreach (var (from, to, length) in legs)
        {
            if (at <= length)
            {
                var part = length > 0 ? at / length : 0;
                return new()
                {
                    ["lat"] = Math.Round(from.Latitude + ((to.Latitude - from.Latitude) * part), 5),
                    ["lon"] = Math.Round(from.Longitude + ((to.Longitude - from.Longitude) * part), 5),
                };
            }
            at -= length;
        }
        return new() { ["lat"] = route.Points[0].Latitude, ["lon"] = route.Points[0].Longitude };
    }

    /// <summary>In kilometres; close enough on the scale of a delivery round.</summary>
    static double Distance((double Latitude, double Longitude) a, (double Latitude, double Longitude) b)
    {
        var north = (b.Latitude - a.Latitude) * EarthKilometresPerDegree;
        var east = (b.Longitude - a.Longitude) * EarthKilometresPerDegree * Math.Cos(a.Latitude * Math.PI / 180);
        return Math.Sqrt((north * north) + (east * east));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{scenario.Fleet} at {now:0} s");
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Simulator;

namespace Althing.Tests.Simulator;

public class ScenarioTests
{
    const string Small = """
        fleet: pumps
        description: Pumps
        devices: { count: 2, name: "pump-{n}", type: Pump, group: pumps }
        signals:
          flow: { walk: { min: 1, max: 5, step: 0.5 } }
          wanted: { constant: 3 }
          level: { follow: { target: wanted, lag: 10s } }
          on: { toggle: { on: 10s, off: 10s } }
          place: { route: { speed: 36, points: [[60, 5], [60.1, 5]] } }
        faults:
          leak: { every: 30s, lasts: 10s, add: { flow: 100 }, set: { on: broken } }
        reports:
          - { topic: "demo/pumps/{name}/telemetry", every: 5s }
        """;

    [Fact]
    public void The_shipped_scenarios_are_a_fleet_of_trucks_machines_stations_and_buttons()
    {
        Assert.Equal([("buttons", 6), ("factory", 5), ("trucks", 8), ("vending", 12)], DemoFleet.Shipped.Select(s => (s.Fleet, s.Count)).Order());
        var names = DemoFleet.Shipped.SelectMany(s => Enumerable.Range(1, s.Count).Select(s.NameOf)).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.Contains("truck-03", names);
    }

    [Theory]
    [InlineData("flow: { walk:", "flow: { wander:", "'wander' is not known")]
    [InlineData("step: 0.5", "step: much", "'step' is 'much' and must be a number")]
    [InlineData("lag: 10s", "lag: 10 parsecs", "must be a time such as")]
    [InlineData("add: { flow: 100 }", "add: { flaw: 100 }", "there is no signal 'flaw'")]
    [InlineData("count: 2", "count: 0", "a whole number from 1 to 1000")]
    [InlineData("pump-{n}", "pump", "all devices would be called the same")]
    [InlineData("fleet: pumps", "fleet: pumps\nweather: nice", "'weather' is not known in the scenario")]
    [InlineData("fleet: pumps", "fleet: [", "s.yaml:")]
    [InlineData("fleet: pumps", "fleet: pumps/north", "must be 1 to 100 letters")]
    [InlineData("fleet: pumps", "[fleet]: pumps", "a key must be a text")]
    [InlineData("fleet: pumps", "fleet: pumps\nfleet: wells", "s.yaml:2:")]
    [InlineData("fleet: pumps", "--- {}\n---\nfleet: pumps", "second document")]
    [InlineData("pump-{n}", "pump {n}", "makes the name 'pump 2'")]
    [InlineData("min: 1, max: 5", "min: 5, max: 1", "'max' must be greater than 'min'")]
    [InlineData("target: wanted", "target: wnated", "there is no signal 'wnated'")]
    [InlineData("target: wanted", "target: on", "'on' cannot be followed")]
    [InlineData("every: 5s", "every: 99999999999999999999h", "must be a time such as")]
    [InlineData("demo/pumps/{name}/telemetry", "demo/{name}/telemetry", "must be demo/pumps/{name}/")]
    [InlineData("demo/pumps/{name}/telemetry", "demo/pumps/{name}/#", "without '+', '#'")]
    [InlineData("group: pumps }", "group: pumps, attributes: { site: [] } }", "'site' is an empty list")]
    public void What_is_wrong_in_a_file_is_said_with_its_place(string good, string bad, string complaint)
    {
        var refusal = Assert.Throws<ScenarioException>(() => ScenarioFile.Parse("s.yaml", Small.Replace(good, bad, StringComparison.Ordinal)));
        Assert.Contains(complaint, refusal.Message, StringComparison.Ordinal);
        Assert.Matches(@"^s\.yaml:\d+:\d+: ", refusal.Message);
    }

    [Fact]
    public void A_seed_lives_the_same_life_twice_within_its_bounds_with_faults_that_come_and_go()
    {
        var scenario = ScenarioFile.Parse("s.yaml", Small);
        var (one, two) = (new DeviceModel(scenario, 5), new DeviceModel(scenario, 5));
        var (faulty, well) = (0, 0);
        for (var i = 0; i < 2000; i++)
        {
            one.Advance(TimeSpan.FromSeconds(0.5));
            two.Advance(TimeSpan.FromSeconds(0.5));
            var report = one.Report([]);
            Assert.Equal(report.ToJsonString(), two.Report([]).ToJsonString());
            var flow = report["flow"]!.GetValue<double>();
            if (report["faults"] is null)
            {
                well++;
                Assert.InRange(flow, 1, 5);
                Assert.True(report["on"]!.GetValueKind() is JsonValueKind.True or JsonValueKind.False);
            }
            else
            {
                faulty++;
                Assert.Equal("broken", (string?)report["on"]);
            }
            Assert.InRange(report["place"]!["lat"]!.GetValue<double>(), 60, 60.1);
        }
        Assert.True(faulty > 50 && well > 500, $"{faulty} with, {well} without a fault");
    }

    [Fact]
    public void A_command_moves_what_follows_it()
    {
        var model = new DeviceModel(ScenarioFile.Parse("s.yaml", Small.Replace("every: 30s", "every: 9000h", StringComparison.Ordinal)), 1);
        Assert.Equal(3, model.Report([])["level"]!.GetValue<double>());
        Assert.Equal(["wanted"], model.Command(new JsonObject { ["wanted"] = 10, ["flow"] = 1, ["nonsense"] = "x" }));
        Assert.Empty(model.Command(JsonNode.Parse("""{ "wanted": 1e999 }""")!.AsObject()));
        for (var i = 0; i < 120; i++)
            model.Advance(TimeSpan.FromSeconds(1));
        Assert.InRange(model.Report([])["level"]!.GetValue<double>(), 9.8, 10.2);
    }
}

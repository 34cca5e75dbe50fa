using System.Globalization;
using System.Reflection;
using Althing.Mqtt;
using static Althing.Mqtt.MqttVersion;

namespace Althing.Tests.Broker.Conformance;

/// <summary>Holds the lists of statements complete: each has a test, or a reason why there is none.</summary>
public class StatementTests
{
    sealed record Statement(string Id, string Note, string? Reason);

    static IReadOnlyList<Statement> List(MqttVersion version) =>
    [
        .. (version == V5 ? Statements5.Table : Statements311.Table).Split('\n').Select(line => line.Split(" | ")).Select(p => new Statement(
            p[0].Trim(), p[1], p.Length < 3 ? null : p[2] == "client" ? "It binds clients; no server can break it." : p[2])),
    ];

    static IReadOnlySet<string> Tested(MqttVersion version) =>
        (from type in typeof(StatementTests).Assembly.GetTypes()
         from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Public)
         from named in method.GetCustomAttributes<NormativeAttribute>()
         where named.Version == version
         from id in named.Statements
         select id).ToHashSet();

    [Theory, InlineData(V311), InlineData(V5)]
    public void Every_statement_of_the_specification_is_in_the_list(MqttVersion version)
    {
        var sections = version == V5 ? Statements5.Sections : Statements311.Sections;
        var expected = sections.SelectMany(s => Enumerable.Range(version == V5 && s.Section == "2.2.1" ? 2 : 1, s.Count)
            .Select(n => s.Section + "-" + n.ToString(CultureInfo.InvariantCulture)));
        Assert.Equal(expected, List(version).Select(s => s.Id));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    public void Every_statement_has_a_test_or_a_reason(MqttVersion version)
    {
        var tested = Tested(version);
        Assert.Empty(from s in List(version) where s.Reason is null && !tested.Contains(s.Id) select $"{s.Id} ({s.Note}) has no test.");
        Assert.Empty(tested.Except(List(version).Select(s => s.Id)));
    }
}

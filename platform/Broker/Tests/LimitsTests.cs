using System.Globalization;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Tests.Tidy;
using Xunit;

namespace Althing.Tests.Broker;

public sealed class LimitsTests
{
    [Fact]
    public void What_is_not_named_stays_as_it_was()
    {
        var limits = BrokerLimits.Read("""{ "inflightMax": 7, "keepAliveMax": "00:01:30", "retainedOnWildcards": true }""", BrokerOptions.Strict);
        Assert.Equal(BrokerOptions.Strict with { InflightMax = 7, KeepAliveMax = TimeSpan.FromSeconds(90), RetainedOnWildcards = true }, limits);
    }

    [Theory]
    [InlineData("", "cannot be read")]
    [InlineData("[]", "one JSON object")]
    [InlineData("""{ "InflightMax": 7 }""", "no limit 'InflightMax'")]
    [InlineData("""{ "inflightMax": 0 }""", "'inflightMax' is 0")]
    [InlineData("""{ "inflightMax": "7" }""", "inflightMax")]
    [InlineData("""{ "inflightMax": null }""", "inflightMax")]
    [InlineData("""{ "receiveMaximum": 65536 }""", "receiveMaximum")]
    [InlineData("""{ "keepAliveMax": "-00:00:01" }""", "'keepAliveMax'")]
    [InlineData("""{ "qoSMax": 3 }""", "'qoSMax' is 3")]
    [InlineData("""{ "packetBytesMax": 1000 }""", "less than 'payloadBytesMax'")]
    public void Senseless_limits_are_refused_by_name(string json, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => BrokerLimits.Read(json, new())).Message, StringComparison.Ordinal);

    [Fact]
    public async Task The_guide_has_every_limit_with_its_default()
    {
        var guide = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "guide", "limits.md"), TestContext.Current.CancellationToken);
        foreach (var name in BrokerLimits.Names)
        {
            var value = typeof(BrokerOptions).GetProperty(char.ToUpperInvariant(name[0]) + name[1..])!.GetValue(new BrokerOptions());
            var text = value is bool flag ? (flag ? "true" : "false") : string.Create(CultureInfo.InvariantCulture, $"{value}");
            Assert.Contains($"| `{name}` | {text} |", guide, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_platform_keeps_to_the_limits_it_is_given()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("althing-limits-").FullName, "limits.json");
        await File.WriteAllTextAsync(file, """{ "topicSlashesMax": 1 }""", TestContext.Current.CancellationToken);
        await using var house = await House.Up("--mqtt", "0", "--anonymous", "--strict", "--limits", file);
        await using var client = await TestClient.Connect(house.MqttPort!.Value, "narrow",
            c => (c.Version, c.Account, c.Password) = (MqttVersion.V5, null, null));
        // --strict grants QoS 1 at most.
        Assert.Equal([ReasonCode.GrantedQoS1], await client.Subscribe("a/b", 2));
        Assert.Equal([ReasonCode.TopicFilterInvalid], await client.Subscribe("a/b/c"));
    }

    [Fact]
    public async Task The_platform_does_not_start_with_limits_it_does_not_know()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("althing-limits-").FullName, "limits.json");
        await File.WriteAllTextAsync(file, """{ "porridge": 1 }""", TestContext.Current.CancellationToken);
        var ran = await AlthingProgram.Run("up", "--limits", file);
        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("no limit 'porridge'", ran.Output, StringComparison.Ordinal);
    }
}

using System.Diagnostics;
using System.Globalization;

namespace Althing.Tests.Clients;

/// <summary><c>althing pub</c> and <c>althing sub</c>.</summary>
public class PubSubTests
{
    static async Task Until(House house, string filter)
    {
        // A subscription is there when the platform lists it.
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(40))
        {
            var probe = await house.Call(HttpMethod.Get, "/connections/listener/subscriptions", service: "iotdata");
            if (probe.Status == 200 && probe.Body["subscriptions"]!.AsArray().Any(s => (string)s!["topicFilter"]! == filter))
                return;
        }
        Assert.Fail($"The subscription to {filter} did not come.");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_administrator_publishes_and_hears_without_any_setting(int qos)
    {
        await using var house = await House.Up();
        var level = qos.ToString(CultureInfo.InvariantCulture);
        var hearing = AlthingProgram.Run("sub", "--data", house.Data, "-t", "plant/+", "-q", level, "-i", "listener", "-v", "-C", "2", "--json", "-W", "50");
        await Until(house, "plant/+");
        Assert.Equal((0, ""), Of(await AlthingProgram.Run("pub", "--data", house.Data, "-t", "plant/1", "-m", "{\"speed\":7}", "-q", level)));
        Assert.Equal((0, ""), Of(await AlthingProgram.Run("pub", "--data", house.Data, "-t", "plant/2", "--message=-5", "-q", level)));
        var heard = await hearing;
        Assert.Equal("plant/1 {\n  \"speed\": 7\n}\nplant/2 -5", heard.Output.Trim());
        Assert.Equal(0, heard.ExitCode);
    }

    [Fact]
    public async Task A_device_comes_with_its_certificate_and_hears_why_it_may_not()
    {
        await using var house = await House.Up();
        var device = await house.Device("pump", """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Connect","iot:Subscribe","iot:Receive"],"Resource":"*"},{"Effect":"Allow","Action":["iot:Publish","iot:RetainPublish"],"Resource":"arn:aws:iot:*:*:topic/own/*"}]}""");
        string[] door = ["--data", house.Data, "--cert", device.Certificate, "--key", device.Key, "-p", house.MqttsPort.ToString(CultureInfo.InvariantCulture), "-i", "pump"];
        Assert.Equal((0, ""), Of(await AlthingProgram.Run(["pub", .. door, "-t", "own/state", "-m", "on", "-q", "1", "-r"])));
        Assert.Equal((0, "on"), Of(await AlthingProgram.Run(["sub", .. door, "-t", "own/state", "-C", "1", "-W", "50"])));
        var (code, said) = Of(await AlthingProgram.Run(["pub", .. door, "-t", "others/state", "-m", "on", "-q", "1"]));
        Assert.Equal((1, "althing: The platform refuses the message to others/state: NotAuthorized (Its policies do not allow publishing to others/state.)."), (code, said));
        Assert.Equal((0, ""), Of(await AlthingProgram.Run(["pub", .. door, "-t", "own/state", "-n", "-q", "1", "-r"])));
        Assert.Equal((27, ""), Of(await AlthingProgram.Run(["sub", .. door, "-t", "own/state", "-C", "1", "-W", "1"])));
    }

    [Theory]
    [InlineData(2, "give one of", "pub", "-t", "a")]
    [InlineData(2, "is no topic", "pub", "-t", "a/#", "-m", "x")]
    [InlineData(2, "is no topic filter", "sub", "-t", "a/#/b")]
    [InlineData(2, "--qos 3", "pub", "-t", "a", "-m", "x", "-q", "3")]
    [InlineData(2, "go together", "pub", "-t", "a", "-m", "x", "--cert", "x.pem")]
    [InlineData(2, "is used as", "sub")]
    [InlineData(1, "No platform runs", "sub", "-t", "a", "--data", "no-such-folder")]
    public async Task What_makes_no_sense_is_said(int code, string why, params string[] arguments)
    {
        var ran = await AlthingProgram.Run(arguments);
        Assert.Equal(code, ran.ExitCode);
        Assert.Contains(why, ran.Output, StringComparison.Ordinal);
    }

    static (int, string) Of(Ran ran) => (ran.ExitCode, ran.Output.Trim());
}

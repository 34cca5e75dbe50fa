namespace Althing.Tests.Clients;

/// <summary><c>althing up --demo</c></summary>
public class DemoTests
{
    [Fact]
    public async Task The_demo_fleet_makes_itself_and_talks_each_device_on_its_own_certificate()
    {
        Tool.Need("mosquitto_sub");
        await using var house = await House.Up("--demo");
        var watcher = await house.Device("watcher");
        await using var listener = await Listener.Start(house, [.. house.Mosquitto(watcher, "watcher"), "-t", "demo/#", "-t", "$aws/events/presence/connected/+"]);
        await listener.Hears("demo/trucks/truck-08/position {");
        await listener.Hears("demo/factory/station-5/drive {");
        await listener.Hears("demo/vending/vending-12/telemetry {");
        await listener.Hears("$aws/events/presence/connected/truck-08");
        var (_, things) = await house.Call(HttpMethod.Get, "/things?maxResults=250&thingTypeName=RefrigeratedTruck");
        Assert.Equal(8, things["things"]!.AsArray().Count);
        var (_, members) = await house.Call(HttpMethod.Get, "/thing-groups/demo/things?recursive=true&maxResults=250");
        Assert.Equal(31, members["things"]!.AsArray().Count);
        var (_, certificates) = await house.Call(HttpMethod.Get, "/certificates?pageSize=250");
        Assert.Equal(32, certificates["certificates"]!.AsArray().Count);
        Assert.All(Directory.GetFiles(Path.Combine(house.Data, "demo")), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        // A command changes the device's target for good.
        await house.Run("mosquitto_pub", [.. house.Mosquitto(watcher, "commander"), "-t", "demo/trucks/truck-01/commands", "-m", """{"setpoint":-7}""", "-q", "1"]);
        await listener.Hears("\"setpoint\":-7");
        // So does a wish in its shadow, which then has what the device reports.
        await using var shadows = await Listener.Start(house, [.. house.Mosquitto(watcher, "shadows"), "-t", "$aws/things/truck-02/shadow/update/documents"]);
        Assert.Equal(200, (await house.Call(HttpMethod.Post, "/things/truck-02/shadow", new { state = new { desired = new { setpoint = -9 } } }, "iotdata")).Status);
        await shadows.Hears("\"reported\":{\"setpoint\":-9");
        // A second start finds its devices and makes none anew.
        Assert.Equal(0, await house.Stop());
        await house.Start();
        await using var again = await Listener.Start(house, [.. house.Mosquitto(watcher, "watcher"), "-t", "demo/#"]);
        await again.Hears("demo/trucks/truck-08/position {");
        (_, certificates) = await house.Call(HttpMethod.Get, "/certificates?pageSize=250");
        Assert.Equal(32, certificates["certificates"]!.AsArray().Count);
    }
}

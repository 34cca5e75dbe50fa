namespace Althing.Tests.Clients;

/// <summary>Attributes of things that their messages carry.</summary>
public sealed class EnrichmentTests
{
    [Fact]
    public async Task Messages_carry_what_the_things_type_says_and_follow_its_changes()
    {
        Tool.Need("mosquitto_sub", "mosquitto_pub");
        await using var house = await House.Up();
        var device = await house.Device("lamp");
        await Ok(HttpMethod.Post, "/thing-types/Lamp", new { thingTypeProperties = new { mqtt5Configuration = Carried("room") } });
        await Ok(HttpMethod.Post, "/things/lamp-1", new { thingTypeName = "Lamp", attributePayload = new { attributes = new { room = "hall", watts = "9" } } });
        Assert.Equal(0, (await house.Run("aws", "iot", "attach-thing-principal", "--thing-name", "lamp-1", "--principal", device.Arn)).ExitCode);
        var watcher = await house.Device("watcher");
        await using var listener = await Listener.Start(house, [.. house.Mosquitto(watcher, "watcher"), "-t", "lamps/#", "-V", "5", "-F", "%t %p [%P]"]);
        await Publish("lamp-1", "one", "-V", "5", "-D", "publish", "user-property", "own", "x");
        await listener.Hears("lamps/1 one [own:x at:hall from:lamp-1 as:lamp-1]");
        // Any version of MQTT, either kind of delivery.
        await Publish("lamp-1", "two", "-V", "311", "-q", "1");
        await listener.Hears("lamps/1 two [at:hall from:lamp-1 as:lamp-1]");
        // Another client id of the same certificate is no thing.
        await Publish("somebody", "three", "-V", "5");
        await listener.Hears("lamps/1 three []");
        await Ok(HttpMethod.Patch, "/things/lamp-1", new { attributePayload = new { attributes = new { room = "attic" }, merge = true } });
        await Publish("lamp-1", "four");
        await listener.Hears("lamps/1 four [at:attic from:lamp-1 as:lamp-1]");
        await Ok(HttpMethod.Patch, "/thing-types/Lamp", new { thingTypeProperties = new { mqtt5Configuration = Carried("watts") } });
        await Publish("lamp-1", "five");
        await listener.Hears("lamps/1 five [at:9 from:lamp-1 as:lamp-1]");

        async Task Ok(HttpMethod method, string path, object body) => Assert.Equal(200, (await house.Call(method, path, body)).Status);

        static object Carried(string attribute) => new
        {
            propagatingAttributes = new object[]
            {
                new { userPropertyKey = "at", thingAttribute = attribute }, new { userPropertyKey = "from", connectionAttribute = "iot:ClientId" },
                new { userPropertyKey = "as", connectionAttribute = "iot:Thing.ThingName" }, new { userPropertyKey = "none", thingAttribute = "missing" },
            },
        };

        Task Publish(string clientId, string text, params string[] options) =>
            house.Run("mosquitto_pub", [.. house.Mosquitto(device, clientId), "-t", "lamps/1", "-m", text, .. options]);
    }
}

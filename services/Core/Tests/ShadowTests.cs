using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Tests.Broker;

namespace Althing.Tests.Core;

/// <summary>A running platform whose devices need no credentials.</summary>
public sealed class OpenHouse : IAsyncLifetime
{
    internal House House { get; private set; } = null!;

    public async ValueTask InitializeAsync() => House = await House.Up("--mqtt", "0", "--anonymous");

    internal Task<TestClient> Connect(string clientId) => TestClient.Connect(House.MqttPort!.Value, clientId, c => (c.Account, c.Password) = (null, null));

    public ValueTask DisposeAsync() => House.DisposeAsync();
}

/// <summary>Shadows as devices and callers of the API see them.</summary>
public sealed class ShadowTests(OpenHouse open) : IClassFixture<OpenHouse>
{
    /// <summary>A device that hears everything about one shadow, and asks by its topics.</summary>
    sealed class Device(TestClient client, string prefix) : IAsyncDisposable
    {
        ushort id;

        public TestClient Client => client;

        public static async Task<Device> Of(OpenHouse open, string thing, string? shadow = null)
        {
            var client = await open.Connect("of-" + thing + shadow);
            var prefix = $"$aws/things/{thing}/shadow/" + (shadow is null ? "" : $"name/{shadow}/");
            await client.Subscribe(new SubscribeEntry(prefix + "+/accepted", 0), new SubscribeEntry(prefix + "+/rejected", 0),
                new SubscribeEntry(prefix + "update/delta", 0), new SubscribeEntry(prefix + "update/documents", 0));
            return new(client, prefix);
        }

        /// <summary>Asks, waits until it is acknowledged, and answers what was published about it: <c>last levels document</c>, without times.</summary>
        public async Task<IReadOnlyList<string>> Ask(string verb, string payload)
        {
            await client.PublishSurely(prefix + verb, payload, id: ++id);
            await client.Ping();
            List<string> all = [];
            while (client.Waiting > 0)
            {
                var got = await client.Message();
                all.Add($"{got.Topic[prefix.Length..]} {WithoutTimes(JsonNode.Parse(got.Payload)!)}");
            }
            return all;
        }

        public async Task<JsonObject> Get()
        {
            var all = await Ask("get", "");
            Assert.StartsWith("get/accepted ", Assert.Single(all), StringComparison.Ordinal);
            return (JsonObject)JsonNode.Parse(all[0][13..])!;
        }

        public ValueTask DisposeAsync() => client.DisposeAsync();
    }

    static string Text(JsonNode node) => node.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Looks that each time is of now, and puts T in its place.</summary>
    static string WithoutTimes(JsonNode node)
    {
        Strip(node);
        return Text(node);

        static void Strip(JsonNode? node)
        {
            if (node is JsonArray items)
            {
                foreach (var item in items)
                    Strip(item);
            }
            if (node is not JsonObject members)
                return;
            foreach (var (name, value) in members.ToList())
            {
                if (name == "timestamp")
                {
                    Assert.InRange((long)value!, DateTimeOffset.Parse("2026-01-01", CultureInfo.InvariantCulture).ToUnixTimeSeconds(), int.MaxValue * 2L);
                    members[name] = "T";
                }
                Strip(value);
            }
        }
    }

    [Fact]
    public async Task An_update_is_answered_and_tells_what_differs_and_what_was_and_is()
    {
        await using var device = await Device.Of(open, "lamp");
        Assert.Equal(
        [
            """update/accepted {"state":{"reported":{"on":false,"color":{"r":1,"g":2}}},"metadata":{"reported":{"on":{"timestamp":"T"},"color":{"r":{"timestamp":"T"},"g":{"timestamp":"T"}}}},"version":1,"timestamp":"T"}""",
            """update/documents {"previous":{"state":{},"metadata":{},"version":0},"current":{"state":{"reported":{"on":false,"color":{"r":1,"g":2}}},"metadata":{"reported":{"on":{"timestamp":"T"},"color":{"r":{"timestamp":"T"},"g":{"timestamp":"T"}}}},"version":1},"timestamp":"T"}""",
        ], await device.Ask("update", """{"state":{"reported":{"on":false,"color":{"r":1,"g":2}}}}"""));
        var second = await device.Ask("update", """{"state":{"desired":{"on":true,"color":{"g":2,"b":3}}},"clientToken":"tok","version":1}""");
        Assert.Equal(3, second.Count);
        Assert.StartsWith("""update/accepted {"state":{"desired":{"on":true,"color":{"g":2,"b":3}}},""", second[0], StringComparison.Ordinal);
        Assert.EndsWith(""","version":2,"timestamp":"T","clientToken":"tok"}""", second[0], StringComparison.Ordinal);
        Assert.Equal("""update/delta {"version":2,"timestamp":"T","state":{"on":true,"color":{"b":3}},"metadata":{"on":{"timestamp":"T"},"color":{"b":{"timestamp":"T"}}},"clientToken":"tok"}""", second[1]);
        Assert.StartsWith("update/documents ", second[2], StringComparison.Ordinal);
        // What is as it should be leaves the delta; without a delta there is no message about it.
        Assert.StartsWith("""update/delta {"version":3,"timestamp":"T","state":{"color":{"b":3}},""", (await device.Ask("update", """{"state":{"reported":{"on":true}}}"""))[1], StringComparison.Ordinal);
        Assert.Equal(2, (await device.Ask("update", """{"state":{"reported":{"color":{"b":3}}}}""")).Count);
        var whole = await device.Get();
        Assert.Equal("""{"desired":{"on":true,"color":{"g":2,"b":3}},"reported":{"on":true,"color":{"r":1,"g":2,"b":3}}}""", Text(whole["state"]!));
        Assert.Equal(4, (int)whole["version"]!);
    }

    [Theory]
    [InlineData("""{"state":{"desired":{"a":null}}}""", """{"desired":{"b":{"c":1,"d":[1,{"e":2}]}},"reported":{"a":2},"delta":{"b":{"c":1,"d":[1,{"e":2}]}}}""")]
    [InlineData("""{"state":{"desired":{"b":{"c":null}}}}""", """{"desired":{"a":1,"b":{"d":[1,{"e":2}]}},"reported":{"a":2},"delta":{"a":1,"b":{"d":[1,{"e":2}]}}}""")]
    [InlineData("""{"state":{"desired":{"b":{"d":[1]}}}}""", """{"desired":{"a":1,"b":{"c":1,"d":[1]}},"reported":{"a":2},"delta":{"a":1,"b":{"c":1,"d":[1]}}}""")]
    [InlineData("""{"state":{"desired":{"b":7}}}""", """{"desired":{"a":1,"b":7},"reported":{"a":2},"delta":{"a":1,"b":7}}""")]
    [InlineData("""{"state":{"desired":{"a":{"x":1}}}}""", """{"desired":{"a":{"x":1},"b":{"c":1,"d":[1,{"e":2}]}},"reported":{"a":2},"delta":{"a":{"x":1},"b":{"c":1,"d":[1,{"e":2}]}}}""")]
    [InlineData("""{"state":{"desired":null}}""", """{"reported":{"a":2}}""")]
    [InlineData("""{"state":{"reported":null}}""", """{"desired":{"a":1,"b":{"c":1,"d":[1,{"e":2}]}},"delta":{"a":1,"b":{"c":1,"d":[1,{"e":2}]}}}""")]
    [InlineData("""{"state":{"reported":{"a":1,"b":{"c":1,"d":[1,{"e":2}]}},"desired":null}}""", """{"reported":{"a":1,"b":{"c":1,"d":[1,{"e":2}]}}}""")]
    [InlineData("""{"state":{"reported":{"a":1.0,"extra":true}}}""", """{"desired":{"a":1,"b":{"c":1,"d":[1,{"e":2}]}},"reported":{"a":1.0,"extra":true},"delta":{"b":{"c":1,"d":[1,{"e":2}]}}}""")]
    [InlineData("""{"state":null}""", "{}")]
    [InlineData("""{"state":{}}""", """{"desired":{"a":1,"b":{"c":1,"d":[1,{"e":2}]}},"reported":{"a":2},"delta":{"a":1,"b":{"c":1,"d":[1,{"e":2}]}}}""")]
    public async Task What_an_update_does_to_the_state(string update, string expected)
    {
        await using var device = await Device.Of(open, "merge-" + Guid.NewGuid().ToString("N"));
        await device.Ask("update", """{"state":{"desired":{"a":1,"b":{"c":1,"d":[1,{"e":2}]}},"reported":{"a":2}}}""");
        await device.Ask("update", update);
        var whole = await device.Get();
        Assert.Equal(expected, Text(whole["state"]!));
        Assert.Equal(2, (int)whole["version"]!);
        Assert.True(SameShape(whole["state"]!["desired"], whole["metadata"]!["desired"]));
        Assert.True(SameShape(whole["state"]!["reported"], whole["metadata"]!["reported"]));
    }

    /// <summary>Every value has its time and nothing else has.</summary>
    static bool SameShape(JsonNode? state, JsonNode? times) => (state, times) switch
    {
        (null, null) => true,
        (JsonObject inner, JsonObject stamped) => inner.Count == stamped.Count && inner.All(m => SameShape(m.Value, stamped[m.Key])),
        (JsonArray items, JsonArray stamped) => items.Count == stamped.Count && items.Zip(stamped).All(p => SameShape(p.First, p.Second)),
        (JsonValue, JsonObject stamped) => stamped.Count == 1 && (string?)stamped["timestamp"] == "T",
        _ => false,
    };

    public static TheoryData<string, int, string> Refused => new()
    {
        { "not json", 400, "Invalid JSON" },
        { " ", 400, "Invalid JSON" },
        { "[]", 400, "Invalid JSON" },
        { """{"state":{"desired":{"a":1,"a":2}}}""", 400, "Invalid JSON" },
        { """{"state":{},"state":{}}""", 400, "Invalid JSON" },
        { """{"state":{"desired":{"a":1}}} """ + "x", 400, "Invalid JSON" },
        { """{"state":{"desired":{"a":1}""", 400, "Invalid JSON" },
        { """{"state":{"desired":{"a":"\ud800"}}}""", 400, "Invalid JSON" },
        { """{"state":{"desired":{"\udc00":1}}}""", 400, "Invalid JSON" },
        { """{"state":{},"clientToken":"\ud800"}""", 400, "Invalid JSON" },
        { new string('[', 10_000), 400, "Invalid JSON" },
        { $$$$"""{"state":{"desired":{{{{string.Concat(Enumerable.Repeat("""{"a":""", 100))}}}}1{{{{new string('}', 100)}}}}}}""", 400, "Invalid JSON" },
        { "{}", 400, "Missing required node: state" },
        { """{"state":7}""", 400, "State node must be an object" },
        { """{"state":{"desired":[]}}""", 400, "Desired node must be an object" },
        { """{"state":{"reported":"x"}}""", 400, "Reported node must be an object" },
        { """{"state":{"reported":{"a":[null]}}}""", 400, "State contains an invalid node" },
        { """{"state":{},"version":"1"}""", 400, "Invalid version" },
        { """{"state":{},"version":-1}""", 400, "Invalid version" },
        { """{"state":{},"clientToken":7}""", 400, "Invalid clientToken" },
        { $$"""{"state":{},"clientToken":"{{new string('t', 65)}}"}""", 400, "Invalid clientToken" },
        { """{"state":{"desired":{"1":{"2":{"3":{"4":{"5":{"6":{"7":{"8":{}}}}}}}}}}}""", 400, "JSON contains too many levels of nesting; maximum is 8" },
        { """{"state":{},"version":6}""", 409, "Version conflict" },
        { $$$$"""{"state":{"desired":{"a":"{{{{new string('x', 9000)}}}}"}}}""", 413, "The payload exceeds the maximum size allowed" },
        { $$$$"""{"state":{"desired":{"a":"{{{{new string('x', 40_000)}}}}"}}}""", 413, "The payload exceeds the maximum size allowed" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_bad_update_is_rejected_and_the_next_one_works(string update, int code, string message)
    {
        await using var device = await Device.Of(open, "bad-" + Guid.NewGuid().ToString("N"));
        await device.Ask("update", """{"state":{"reported":{"a":1}}}""");
        Assert.Equal([$$"""update/rejected {"code":{{code}},"message":"{{message}}","timestamp":"T"}"""], await device.Ask("update", update));
        Assert.Equal(2, (await device.Ask("update", """{"state":{"reported":{"a":2}},"version":1}""")).Count);
        // The same by the API.
        var (status, body) = await open.House.Call(HttpMethod.Post, "/things/bad-by-http/shadow", Raw(update), "iotdata");
        Assert.Equal((code, message), (status, (string?)body["message"]));
    }

    /// <summary>Bytes that go out as they are.</summary>
    static byte[] Raw(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task Text_that_is_not_UTF_8_is_rejected()
    {
        await using var device = await Device.Of(open, "latin");
        await device.Client.Send(b => PublishPacket.Write(b, MqttVersion.V311, "$aws/things/latin/shadow/update", [.. """{"state":{"desired":{"a":" """u8, 0xE4, .. "\"}}}"u8], 0, false, false, 0, null));
        var got = await device.Client.Message();
        Assert.EndsWith("update/rejected", got.Topic, StringComparison.Ordinal);
        Assert.Equal(415, (int?)JsonNode.Parse(got.Payload)!["code"]);
        var (status, body) = await open.House.Call(HttpMethod.Post, "/things/latin/shadow", (byte[])[.. """{"state":{"desired":{"a":" """u8, 0xE4, .. "\"}}}"u8], "iotdata");
        Assert.Equal((415, "Unsupported documented encoding; supported encoding is UTF-8"), (status, (string?)body["message"]));
    }

    [Fact]
    public async Task What_is_not_there_is_not_found_and_a_deleted_shadow_goes_on_counting()
    {
        await using var device = await Device.Of(open, "gone", "config");
        const string none = """{"code":404,"message":"No shadow exists with name: 'config'","timestamp":"T","clientToken":"t"}""";
        Assert.Equal(["get/rejected " + none], await device.Ask("get", """{"clientToken":"t"}"""));
        Assert.Equal(["delete/rejected " + none], await device.Ask("delete", """{"clientToken":"t"}"""));
        await device.Ask("update", """{"state":{"reported":{"a":1}}}""");
        Assert.Equal(["""delete/accepted {"version":1,"timestamp":"T","clientToken":"t"}"""], await device.Ask("delete", """{"clientToken":"t"}"""));
        Assert.Equal(["get/rejected " + none], await device.Ask("get", """{"clientToken":"t"}"""));
        Assert.Contains("\"version\":2,", (await device.Ask("update", """{"state":{"reported":{"a":1}}}"""))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Named_shadows_are_apart_from_the_classic_one_and_from_each_other_and_are_listed()
    {
        await using var classic = await Device.Of(open, "many");
        await using var one = await Device.Of(open, "many", "one");
        await classic.Ask("update", """{"state":{"reported":{"which":"classic"}}}""");
        await one.Ask("update", """{"state":{"reported":{"which":"one"}}}""");
        await using (var two = await Device.Of(open, "many", "two"))
            await two.Ask("update", """{"state":{"reported":{"which":"two"}}}""");
        Assert.Equal("""{"reported":{"which":"classic"}}""", (await classic.Get())["state"]!.ToJsonString());
        Assert.Equal("""{"reported":{"which":"one"}}""", (await one.Get())["state"]!.ToJsonString());
        var first = (await open.House.Call(HttpMethod.Get, "/api/things/shadow/ListNamedShadowsForThing/many?pageSize=1", service: "iotdata")).Body;
        Assert.Equal("""["one"]""", first["results"]!.ToJsonString());
        var rest = (await open.House.Call(HttpMethod.Get, $"/api/things/shadow/ListNamedShadowsForThing/many?nextToken={Uri.EscapeDataString((string)first["nextToken"]!)}", service: "iotdata")).Body;
        Assert.Equal("""["two"]""", rest["results"]!.ToJsonString());
        await one.Ask("delete", "");
        Assert.Equal("""["two"]""", (await open.House.Call(HttpMethod.Get, "/api/things/shadow/ListNamedShadowsForThing/many", service: "iotdata")).Body["results"]!.ToJsonString());
    }

    [Fact]
    public async Task A_change_by_the_API_reaches_the_device_and_a_read_disturbs_nobody()
    {
        await using var device = await Device.Of(open, "by-api");
        var (status, answer) = await open.House.Call(HttpMethod.Post, "/things/by-api/shadow", Raw("""{"state":{"desired":{"on":true}},"clientToken":"c"}"""), "iotdata");
        Assert.Equal((200, "c"), (status, (string?)answer["clientToken"]));
        Assert.Equal(["accepted", "delta", "documents"], [Last(await device.Client.Message()), Last(await device.Client.Message()), Last(await device.Client.Message())]);
        (status, answer) = await open.House.Call(HttpMethod.Get, "/things/by-api/shadow", service: "iotdata");
        Assert.Equal((200, """{"desired":{"on":true},"delta":{"on":true}}"""), (status, answer["state"]!.ToJsonString()));
        Assert.Equal(404, (await open.House.Call(HttpMethod.Get, "/things/by-api/shadow?name=other", service: "iotdata")).Status);
        await device.Client.Nothing();
        Assert.Equal(200, (await open.House.Call(HttpMethod.Delete, "/things/by-api/shadow", service: "iotdata")).Status);
        Assert.Equal("accepted", Last(await device.Client.Message()));

        static string Last(Got got) => got.Topic[(got.Topic.LastIndexOf('/') + 1)..];
    }

    [Fact]
    public async Task Of_a_hundred_writers_with_the_same_version_one_wins()
    {
        await open.House.Call(HttpMethod.Post, "/things/race/shadow", Raw("""{"state":{"desired":{"n":-1}}}"""), "iotdata");
        for (var round = 1; round <= 3; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(n =>
                open.House.Call(HttpMethod.Post, "/things/race/shadow", Raw($$$"""{"state":{"desired":{"n":{{{n}}}}},"version":{{{round}}}}"""), "iotdata")));
            var winner = Assert.Single(answers, a => a.Status == 200).Body;
            Assert.Equal(99, answers.Count(a => a.Status == 409));
            var now = (await open.House.Call(HttpMethod.Get, "/things/race/shadow", service: "iotdata")).Body;
            Assert.Equal((round + 1, (int)winner["state"]!["desired"]!["n"]!), ((int)now["version"]!, (int)now["state"]!["desired"]!["n"]!));
        }
    }

    [Fact]
    public async Task Of_a_hundred_devices_with_the_same_version_one_wins_and_each_hears_its_own_answer()
    {
        var devices = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => open.Connect($"racer-{n}")));
        await Task.WhenAll(devices.Select(d => d.Subscribe("$aws/things/run/shadow/update/+")));
        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(devices.Select((d, n) => d.PublishSurely("$aws/things/run/shadow/update", $$$"""{"state":{"reported":{"n":{{{n}}}}},"version":{{{round}}},"clientToken":"{{{n}}}"}""", id: (ushort)(round + 1))));
            // One accepted and its documents, and 99 refusals.
            var heard = new List<JsonNode>();
            while (heard.Count < 101)
                heard.Add(JsonNode.Parse((await devices[0].Message()).Payload)!);
            Assert.Equal(Enumerable.Range(0, 100).Select(n => $"{n}").Order(StringComparer.Ordinal),
                heard.Where(h => h["current"] is null).Select(h => (string)h["clientToken"]!).Order(StringComparer.Ordinal));
            Assert.Equal(99, heard.Count(h => (int?)h["code"] == 409));
        }
        var now = (await open.House.Call(HttpMethod.Get, "/things/run/shadow", service: "iotdata")).Body;
        Assert.Equal(3, (int)now["version"]!);
        await Task.WhenAll(devices.Select(d => d.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task A_device_that_no_policy_allows_it_changes_no_shadow_by_any_door()
    {
        var device = await open.House.Device("mute", """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Connect","iot:Subscribe","iot:Receive"],"Resource":"*"}]}""");
        const string document = """{"state":{"reported":{"a":1}}}""";
        Tool.Need("mosquitto_pub", "curl");
        await open.House.TryRun("mosquitto_pub", [.. open.House.Mosquitto(device, "mute"), "-t", "$aws/things/mute/shadow/update", "-q", "1", "-m", document]);
        var byHttp = await open.House.Run("curl", "-s", "--cacert", Path.Combine(open.House.Data, "ca.pem"), "--cert", device.Certificate, "--key", device.Key,
            "-d", document, $"https://localhost:{open.House.HttpsPort}/things/mute/shadow");
        Assert.Contains("iot:UpdateThingShadow", byHttp.Output, StringComparison.Ordinal);
        Assert.Equal(404, (await open.House.Call(HttpMethod.Get, "/things/mute/shadow", service: "iotdata")).Status);
    }

    [Fact]
    public async Task Requests_to_names_that_no_shadow_can_have_are_passed_over()
    {
        await using var client = await open.Connect("odd");
        await client.Subscribe("$aws/things/#");
        await client.PublishSurely("$aws/things/a b/shadow/get", "");
        await client.PublishSurely($"$aws/things/a/shadow/name/{new string('n', 65)}/get", "");
        await client.Ping();
        Assert.Equal(2, client.Waiting);
    }

    [Fact]
    public async Task Of_a_flood_each_request_is_answered_and_what_is_too_much_is_refused()
    {
        await using var device = await Device.Of(open, "flood");
        const int many = 500;
        await device.Client.Send(b =>
        {
            for (var i = 0; i < many; i++)
                PublishPacket.Write(b, MqttVersion.V311, "$aws/things/flood/shadow/update", """{"state":{"reported":{"a":1}}}"""u8, 0, false, false, 0, null);
        });
        var (accepted, refused) = (0, 0);
        while (accepted + refused < many)
        {
            var got = await device.Client.Message();
            accepted += got.Topic.EndsWith("/accepted", StringComparison.Ordinal) ? 1 : 0;
            if (!got.Topic.EndsWith("/rejected", StringComparison.Ordinal))
                continue;
            Assert.Equal(429, (int?)JsonNode.Parse(got.Payload)!["code"]);
            refused++;
        }
        Assert.True(refused > 0);
        Assert.Contains($"\"version\":{accepted},", (await device.Ask("get", ""))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_of_a_deleted_shadow_is_forgotten_after_two_days()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        Assert.Equal(1, await Version());
        await Delete();
        house.Time.Advance(TimeSpan.FromHours(47));
        Assert.Equal(2, await Version());
        await Delete();
        house.Time.Advance(TimeSpan.FromHours(48));
        Assert.Equal(1, await Version());

        Task Delete() => account.Call("DeleteThingShadow", new { thingName = "x" }, "iot-data");

        async Task<int> Version()
        {
            var answer = await account.Call("UpdateThingShadow", new { thingName = "x", payload = Convert.ToBase64String(Raw("""{"state":{"desired":{"a":1}}}""")) }, "iot-data");
            return (int)JsonNode.Parse(Convert.FromBase64String((string)answer["payload"]!))!["version"]!;
        }
    }
}

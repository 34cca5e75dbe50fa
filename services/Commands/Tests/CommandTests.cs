using System.Text.Json.Nodes;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Tests.Broker;
using Althing.Tests.Jobs;

namespace Althing.Tests.Commands;

/// <summary>Commands as those see them who send them, and as devices do.</summary>
public sealed class CommandTests(JobHouse house) : IClassFixture<JobHouse>
{
    static readonly string Blink = Convert.ToBase64String("""{"do":"blink"}"""u8);

    async Task<JobAccount> Account(string thing = "lamp")
    {
        var account = house.NewAccount();
        await account.Things(thing);
        await account.Call("CreateCommand", new { commandId = "blink", payload = new { content = Blink, contentType = "application/json" }, displayName = "Blink" });
        return account;
    }

    static Dictionary<string, object> Value(string type, object value) => new() { [type] = value };

    static object Start(JobAccount account, string target = "thing/lamp", string command = "blink", object? parameters = null, long? seconds = null, string? token = null) =>
        new { targetArn = account.Arn(target), commandArn = account.Arn("command/" + command), parameters, executionTimeoutSeconds = seconds, clientToken = token };

    static async Task<string> Started(JobAccount account, string target = "thing/lamp", string command = "blink", object? parameters = null, long? seconds = null) =>
        (string)(await account.Data("StartCommandExecution", Start(account, target, command, parameters, seconds)))["executionId"]!;

    static Task<JsonObject> Described(JobAccount account, string id, string target = "thing/lamp") =>
        account.Call("GetCommandExecution", new { executionId = id, targetArn = account.Arn(target), includeResult = true });

    async Task<TestClient> Device(JobAccount account, string name, params string[] filters)
    {
        var device = await TestClient.Connect(house.Port, name, c => (c.Account, c.Version) = (account.Id.Value, MqttVersion.V5));
        foreach (var filter in filters)
            await device.Subscribe(filter);
        return device;
    }

    [Fact]
    public async Task A_command_is_kept_listed_renamed_deprecated_and_deleted()
    {
        var account = await Account();
        var made = await account.Call("GetCommand", new { commandId = "blink" });
        Assert.Equal(("AWS-IoT", "Blink", Blink), ((string)made["namespace"]!, (string)made["displayName"]!, (string)made["payload"]!["content"]!));
        Assert.Equal(account.Arn("command/blink"), (string)made["commandArn"]!);
        // The same once more is the same; another one is refused.
        await account.Call("CreateCommand", new { commandId = "blink", payload = new { content = Blink, contentType = "application/json" }, displayName = "Blink" });
        Assert.Equal(("ConflictException", 409), Of(await account.Refused("CreateCommand", new { commandId = "blink", payload = new { content = Blink } })));
        house.Time.Advance(TimeSpan.FromSeconds(1));
        await account.Call("CreateCommand", new { commandId = "ring", payload = new { content = Blink } });
        Assert.Equal(["ring", "blink"], Ids(await account.Call("ListCommands", new { })));
        Assert.Equal(["blink", "ring"], Ids(await account.Call("ListCommands", new { sortOrder = "ASCENDING" })));
        var first = await account.Call("ListCommands", new { maxResults = 1 });
        Assert.Equal(["blink"], Ids(await account.Call("ListCommands", new { maxResults = 1, nextToken = (string)first["nextToken"]! })));
        Assert.Equal(("ValidationException", 400), Of(await account.Refused("ListCommands", new { nextToken = "forged" })));

        Assert.Equal("On and off", (string)(await account.Call("UpdateCommand", new { commandId = "blink", displayName = "On and off", deprecated = true }))["displayName"]!);
        Assert.Equal(("ConflictException", 409), Of(await account.Refused("StartCommandExecution", Start(account), "iot-jobs-data")));
        await account.Call("UpdateCommand", new { commandId = "blink", deprecated = false });
        await Started(account);
        Assert.Equal(202, (int)(await account.Call("DeleteCommand", new { commandId = "blink" }))["statusCode"]!);
        Assert.True((bool)(await account.Call("GetCommand", new { commandId = "blink" }))["pendingDeletion"]!);
        Assert.Equal(204, (int)(await account.Call("DeleteCommand", new { commandId = "ring" }))["statusCode"]!);
        Assert.Equal(("ResourceNotFoundException", 404), Of(await account.Refused("GetCommand", new { commandId = "ring" })));
        house.Time.Advance(TimeSpan.FromHours(12) + TimeSpan.FromSeconds(1));
        await Until(async () => (await account.Call("ListCommands", new { }))["commands"]!.AsArray().Count == 0);

        static string[] Ids(JsonObject page) => [.. page["commands"]!.AsArray().Select(c => (string)c!["commandId"]!)];
    }

    static (string, int) Of(Althing.Api.ServiceException refusal) => (refusal.Code, refusal.Status);

    static async Task Until(Func<Task<bool>> holds)
    {
        for (var i = 0; i < 2000; i++)
        {
            if (await holds())
                return;
            await Task.Delay(5);
        }
        throw new TimeoutException("It did not come true.");
    }

    [Fact]
    public async Task A_device_gets_the_payload_and_says_how_it_went()
    {
        var account = await Account();
        await using var device = await Device(account, "lamp", "$aws/commands/things/lamp/executions/+/request/json", "$aws/commands/things/lamp/executions/+/response/+/+");
        await using var watcher = await Device(account, "watcher", "$aws/events/commandExecution/+/#");
        var id = await Started(account, seconds: 60);
        var request = await device.Message();
        Assert.Equal(($"$aws/commands/things/lamp/executions/{id}/request/json", """{"do":"blink"}"""), (request.Topic, request.Payload));
        Assert.Equal(("application/json", 60u), (request.Properties!.ContentType, request.Properties.MessageExpirySeconds));
        Assert.Contains($"\"executionId\":\"{id}\",\"status\":\"CREATED\"", (await watcher.Message()).Payload, StringComparison.Ordinal);
        Assert.Equal("CREATED", (string)(await Described(account, id))["status"]!);

        await Say(device, id, """{"status":"IN_PROGRESS"}""");
        Assert.Equal(($"$aws/commands/things/lamp/executions/{id}/response/accepted/json", $$"""{"executionId":"{{id}}"}"""), Of(await device.Message()));
        await Say(device, id, """{"status":"SUCCEEDED","statusReason":{"reasonCode":"DONE","reasonDescription":"twice"},"result":{"lux":{"s":"12"},"on":{"b":false},"raw":{"bin":"AQI="}}}""");
        Assert.EndsWith("/accepted/json", (await device.Message()).Topic, StringComparison.Ordinal);
        var execution = await Described(account, id);
        Assert.Equal(("SUCCEEDED", "DONE", "12"), ((string)execution["status"]!, (string)execution["statusReason"]!["reasonCode"]!, (string)execution["result"]!["lux"]!["S"]!));
        Assert.Equal(("AQI=", false), ((string)execution["result"]!["raw"]!["BIN"]!, (bool)execution["result"]!["on"]!["B"]!));
        Assert.Null((await account.Call("GetCommandExecution", new { executionId = id, targetArn = account.Arn("thing/lamp") }))["result"]);
        Assert.EndsWith("/IN_PROGRESS", (await watcher.Message()).Topic, StringComparison.Ordinal);
        Assert.Equal("$aws/events/commandExecution/blink/SUCCEEDED", (await watcher.Message()).Topic);
        // It is over.
        await Say(device, id, """{"status":"FAILED"}""");
        var refused = await device.Message();
        Assert.EndsWith("/response/rejected/json", refused.Topic, StringComparison.Ordinal);
        Assert.Contains("TerminalStateReached", refused.Payload, StringComparison.Ordinal);

        static (string, string) Of(Got got) => (got.Topic, got.Payload);
    }

    static Task Say(TestClient device, string id, string report) => device.PublishSurely($"$aws/commands/things/lamp/executions/{id}/response/json", report);

    [Fact]
    public async Task What_is_not_answered_in_time_times_out_and_may_still_be_answered()
    {
        var account = await Account();
        await using var device = await Device(account, "lamp", "$aws/commands/things/lamp/executions/+/response/+/+");
        var id = await Started(account);
        house.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal("CREATED", (string)(await Described(account, id))["status"]!);
        house.Time.Advance(TimeSpan.FromSeconds(2));
        await Until(async () => (string)(await Described(account, id))["status"]! == "TIMED_OUT");
        var late = await Described(account, id);
        Assert.Equal(("$NO_RESPONSE_FROM_DEVICE", 10), ((string)late["statusReason"]!["reasonCode"]!, (int)late["executionTimeoutSeconds"]!));
        await Say(device, id, """{"status":"IN_PROGRESS"}""");
        Assert.Contains("InvalidStateTransition", (await device.Message()).Payload, StringComparison.Ordinal);
        await Say(device, id, """{"status":"FAILED","statusReason":{"reasonCode":"NO-POWER"}}""");
        Assert.EndsWith("/accepted/json", (await device.Message()).Topic, StringComparison.Ordinal);
        Assert.Equal("FAILED", (string)(await Described(account, id))["status"]!);
        // Kept for half a year, then forgotten.
        house.Time.Advance(TimeSpan.FromDays(184));
        await Until(async () => (await account.Call("ListCommandExecutions", new { commandArn = account.Arn("command/blink") }))["commandExecutions"]!.AsArray().Count == 0);
    }

    public static TheoryData<string, string> Nonsense => new()
    {
        { "{", "InvalidJson" },
        { "[]", "InvalidJson" },
        { "{}", "InvalidRequest" },
        { """{"status":"HAPPY"}""", "InvalidRequest" },
        { """{"status":7}""", "InvalidRequest" },
        { """{"status":"CREATED"}""", "InvalidStateTransition" },
        { """{"status":"FAILED","statusReason":{"reasonCode":"small letters"}}""", "InvalidRequest" },
        { """{"status":"FAILED","result":{"a":{"s":1}}}""", "InvalidRequest" },
        { """{"status":"FAILED","result":{"a":{"s":"x","b":true}}}""", "InvalidRequest" },
        { """{"status":"FAILED","result":{"a":{"bin":"§"}}}""", "InvalidRequest" },
        { """{"status":"FAILED","result":{"a b":{"s":"x"}}}""", "InvalidRequest" },
    };

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task Nonsense_is_rejected_and_changes_nothing(string report, string code)
    {
        var account = await Account();
        await using var device = await Device(account, "lamp");
        var id = await Started(account);
        await Say(device, id, report);
        // Whether or not the device has subscribed.
        Assert.Contains($"\"error\":\"{code}\"", (await device.Message()).Payload, StringComparison.Ordinal);
        Assert.Equal("CREATED", (string)(await Described(account, id))["status"]!);
        await Say(device, "5b7c9a52-0000-4000-8000-000000000000", """{"status":"FAILED"}""");
        Assert.Contains("ResourceNotFound", (await device.Message()).Payload, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_is_filled_with_typed_values_as_JSON_or_CBOR()
    {
        var account = await Account();
        object Template(string format) => new
        {
            commandId = "heat-" + format.ToLowerInvariant(),
            payloadTemplate = """{"to":"${aws:iot:commandexecution::parameter:degrees}","text":"to ${aws:iot:commandexecution::parameter:degrees} for ${aws:iot:commandexecution::parameter:who}","within":"${aws:iot:commandexecution::executionTimeoutSec}"}""",
            preprocessor = new { awsJsonSubstitution = new { outputFormat = format } },
            mandatoryParameters = new object[]
            {
                new { name = "degrees", type = "INTEGER", defaultValue = Value("I", 20), valueConditions = new[] { new { comparisonOperator = "IN_RANGE", operand = new { numberRange = new { min = "5", max = "30" } } } } },
                new { name = "who", type = "STRING" },
            },
        };
        await account.Call("CreateCommand", Template("JSON"));
        await account.Call("CreateCommand", Template("CBOR"));
        await using var device = await Device(account, "lamp", "$aws/commands/things/lamp/executions/+/request/#");
        await Started(account, command: "heat-json", parameters: new { who = Value("S", "Åse \"x\"") }, seconds: 30);
        Assert.Equal("""{"to":20,"text":"to 20 for Åse \"x\"","within":30}""", JsonNode.Parse((await device.Message()).Payload)!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        await Started(account, command: "heat-cbor", parameters: new { who = Value("S", "me"), degrees = Value("I", 21) });
        var request = await device.Message();
        Assert.EndsWith("/request/cbor", request.Topic, StringComparison.Ordinal);
        Assert.Equal("application/cbor", request.Properties!.ContentType);
        Assert.Equal(["heat-cbor", "heat-json"], (await account.Call("ListCommands", new { commandParameterName = "who" }))["commands"]!.AsArray().Select(c => (string)c!["commandId"]!).Order());

        foreach (var (parameters, says) in new (object, string)[]
        {
            (new { degrees = Value("I", 20) }, "has no default"),
            (new { who = Value("S", "x"), degrees = Value("I", 31) }, "IN_RANGE"),
            (new { who = Value("S", "x"), degrees = Value("S", "20") }, "of type INTEGER"),
            (new { who = Value("S", "x"), speed = Value("I", 1) }, "no parameter 'speed'"),
        })
        {
            var refusal = await account.Refused("StartCommandExecution", Start(account, command: "heat-json", parameters: parameters), "iot-jobs-data");
            Assert.Equal("ValidationException", refusal.Code);
            Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        }
    }

    public static TheoryData<string, string> BadCommands => new()
    {
        { """{}""", "Give either 'payload' or 'payloadTemplate'" },
        { """{"payload":{"content":""}}""", "0 bytes" },
        { """{"payloadTemplate":"{}"}""", "awsJsonSubstitution" },
        { """{"payloadTemplate":"{","preprocessor":{"awsJsonSubstitution":{"outputFormat":"JSON"}}}""", "not JSON" },
        { """{"payloadTemplate":"{\"a\":\"${aws:iot:commandexecution::parameter:none}\"}","preprocessor":{"awsJsonSubstitution":{"outputFormat":"JSON"}}}""", "names no parameter" },
        { """{"namespace":"AWS-IoT-FleetWise","payload":{"content":"YQ=="}}""", "no payload" },
        { """{"payloadTemplate":"{}","preprocessor":{"awsJsonSubstitution":{"outputFormat":"JSON"}},"mandatoryParameters":[{"name":"a","type":"DOUBLE","defaultValue":{"S":"x"}}]}""", "of type DOUBLE" },
        { """{"payloadTemplate":"{}","preprocessor":{"awsJsonSubstitution":{"outputFormat":"JSON"}},"mandatoryParameters":[{"name":"a","valueConditions":[{"comparisonOperator":"IN_RANGE","operand":{"number":"1"}}]}]}""", "no operand" },
    };

    [Theory]
    [MemberData(nameof(BadCommands))]
    public async Task A_command_that_could_not_be_sent_is_refused(string request, string says)
    {
        var account = house.NewAccount();
        var members = JsonNode.Parse(request)!.AsObject();
        members["commandId"] = "bad";
        var refusal = await account.Refused("CreateCommand", members);
        Assert.Equal("ValidationException", refusal.Code);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Executions_are_listed_by_command_and_device_and_deleted_when_they_are_over()
    {
        var account = await Account();
        await account.Things("other");
        var first = await Started(account);
        house.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await Started(account, target: "client/unknown-device");
        house.Time.Advance(TimeSpan.FromSeconds(1));
        var third = await Started(account, target: "thing/other");
        Assert.Equal([third, second, first], await Listed(new { commandArn = account.Arn("command/blink") }));
        Assert.Equal([second], await Listed(new { targetArn = account.Arn("client/unknown-device") }));
        Assert.Equal([first, second, third], await Listed(new { commandArn = account.Arn("command/blink"), sortOrder = "ASCENDING" }));
        Assert.Empty(await Listed(new { commandArn = account.Arn("command/blink"), status = "SUCCEEDED" }));
        Assert.Empty(await Listed(new { commandArn = account.Arn("command/blink"), startedTimeFilter = new { after = "2020-01-01T00:00" } }));
        Assert.Equal("ValidationException", (await account.Refused("ListCommandExecutions", new { })).Code);
        Assert.Equal("ValidationException", (await account.Refused("ListCommandExecutions", new { commandArn = account.Arn("command/blink"), startedTimeFilter = new { after = "tomorrow" } })).Code);
        Assert.Equal("ConflictException", (await account.Refused("DeleteCommandExecution", new { executionId = first, targetArn = account.Arn("thing/lamp") })).Code);
        house.Time.Advance(TimeSpan.FromSeconds(11));
        await Until(async () => (await Listed(new { commandArn = account.Arn("command/blink"), status = "TIMED_OUT" })).Count == 3);
        await account.Call("DeleteCommandExecution", new { executionId = first, targetArn = account.Arn("thing/lamp") });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("GetCommandExecution", new { executionId = first, targetArn = account.Arn("thing/lamp") })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("StartCommandExecution", Start(account, "thing/none"), "iot-jobs-data")).Code);
        Assert.Equal("ValidationException", (await account.Refused("StartCommandExecution", Start(account, "thinggroup/all"), "iot-jobs-data")).Code);
        Assert.Equal("ValidationException", (await account.Refused("StartCommandExecution", Start(account, seconds: 43_201), "iot-jobs-data")).Code);

        async Task<IReadOnlyList<string>> Listed(object request) =>
            [.. (await account.Call("ListCommandExecutions", request))["commandExecutions"]!.AsArray().Select(e => (string)e!["executionId"]!)];
    }

    [Fact]
    public async Task A_token_sends_a_command_once()
    {
        var account = await Account();
        var request = Start(account, token: "order-7");
        var first = await account.Data("StartCommandExecution", request);
        Assert.Equal((string)first["executionId"]!, (string)(await account.Data("StartCommandExecution", request))["executionId"]!);
        Assert.Single((await account.Call("ListCommandExecutions", new { commandArn = account.Arn("command/blink") }))["commandExecutions"]!.AsArray());
    }

    [Fact]
    public async Task CBOR_reports_are_taken_with_bytes_as_bytes()
    {
        var account = await Account();
        await using var device = await Device(account, "lamp", "$aws/commands/things/lamp/executions/+/response/+/+");
        var id = await Started(account);
        var writer = new System.Formats.Cbor.CborWriter();
        writer.WriteStartMap(2);
        writer.WriteTextString("status");
        writer.WriteTextString("SUCCEEDED");
        writer.WriteTextString("result");
        writer.WriteStartMap(1);
        writer.WriteTextString("raw");
        writer.WriteStartMap(1);
        writer.WriteTextString("bin");
        writer.WriteByteString([1, 2, 255]);
        writer.WriteEndMap();
        writer.WriteEndMap();
        writer.WriteEndMap();
        await device.Send(b => PublishPacket.Write(b, MqttVersion.V5, $"$aws/commands/things/lamp/executions/{id}/response/cbor", writer.Encode(), 1, false, false, 9, null));
        await device.Expect(PacketType.PubAck);
        Assert.EndsWith("/response/accepted/cbor", (await device.Message()).Topic, StringComparison.Ordinal);
        Assert.Equal(Convert.ToBase64String([1, 2, 255]), (string)(await Described(account, id))["result"]!["raw"]!["BIN"]!);
    }
}

/// <summary>Commands over a crash.</summary>
public sealed class CommandCrashTests : IAsyncLifetime
{
    readonly JobHouse house = new();

    public ValueTask InitializeAsync() => house.InitializeAsync();

    public ValueTask DisposeAsync() => house.DisposeAsync();

    [Fact]
    public async Task An_execution_survives_and_times_out_though_its_time_was_over_meanwhile()
    {
        var account = house.NewAccount();
        await account.Things("lamp");
        await account.Call("CreateCommand", new { commandId = "blink", payload = new { content = Convert.ToBase64String("x"u8) } });
        var id = (string)(await account.Data("StartCommandExecution", new { targetArn = account.Arn("thing/lamp"), commandArn = account.Arn("command/blink") }))["executionId"]!;
        await house.Crash();
        house.Time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 2000; i++)
        {
            var execution = await account.Call("GetCommandExecution", new { executionId = id, targetArn = account.Arn("thing/lamp") });
            if ((string)execution["status"]! == "TIMED_OUT")
                return;
            await Task.Delay(5);
        }
        Assert.Fail("The execution did not time out.");
    }
}

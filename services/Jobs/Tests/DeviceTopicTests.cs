using System.Text.Json.Nodes;

namespace Althing.Tests.Jobs;

/// <summary>Jobs as devices see them on their topics ("Jobs device MQTT API", "Jobs notifications").</summary>
public sealed class DeviceTopicTests(JobHouse house) : IClassFixture<JobHouse>
{
    /// <summary>The seconds on the house's clock.</summary>
    long Now => house.Time.GetUtcNow().ToUnixTimeSeconds();

    async Task<(JobAccount Account, JobDevice Device)> Thing(string name, params string[] filters)
    {
        var account = house.NewAccount();
        await account.Things(name);
        return (account, await account.Device(name, filters));
    }

    [Fact]
    public async Task Devices_are_told_what_is_pending_and_what_is_next_and_nothing_twice()
    {
        // The series of examples of "Jobs notifications", at one time.
        var (account, device) = await Thing("pump", "notify", "notify-next");
        await using var _ = device;
        var t = Now;
        string Summary(string job, long version = 1, bool started = false) =>
            $$"""{"jobId":"{{job}}","queuedAt":{{t}},{{(started ? $"\"startedAt\":{t}," : "")}}"lastUpdatedAt":{{t}},"versionNumber":{{version}},"executionNumber":1}""";
        string List(params string[] jobs) => "notify {\"timestamp\":" + t + ",\"jobs\":{" + string.Join(",", jobs) + "}}";
        string In(string status, params string[] summaries) => $"\"{status}\":[{string.Join(",", summaries)}]";
        string Next(string job, string status, long version) => $$$$"""
            {"timestamp":{{{{t}}}},"execution":{"jobId":"{{{{job}}}}","thingName":"pump","status":"{{{{status}}}}","queuedAt":{{{{t}}}},{{{{(version > 1 ? $"\"startedAt\":{t}," : "")}}}}"lastUpdatedAt":{{{{t}}}},"versionNumber":{{{{version}}}},"executionNumber":1,"jobDocument":{"operation":"test"}}}
            """;

        await account.Job("job1", "pump");
        Assert.Equal(List(In("QUEUED", Summary("job1"))), await device.Told());
        Assert.Equal("notify-next " + Next("job1", "QUEUED", 1), await device.Told());
        await account.Job("job2", "pump");
        Assert.Equal(List(In("QUEUED", Summary("job1"), Summary("job2"))), await device.Told());
        // What is first begins: neither the list nor the next one changes.
        Assert.Equal($$"""job1/update/accepted {"timestamp":{{t}}}""", await device.Answer("job1/update", """{"status":"IN_PROGRESS"}"""));
        await account.Job("job3", "pump");
        Assert.Equal(List(In("IN_PROGRESS", Summary("job1", 2, true)), In("QUEUED", Summary("job2"), Summary("job3"))), await device.Told());
        Assert.Equal(
        [
            List(In("QUEUED", Summary("job2"), Summary("job3"))),
            "notify-next " + Next("job2", "QUEUED", 1),
            $$"""job1/update/accepted {"timestamp":{{t}}}""",
        ], await device.Ask("job1/update", """{"status":"SUCCEEDED"}"""));
        // Another one than the next is begun: it becomes the next.
        Assert.Equal(["notify-next " + Next("job3", "IN_PROGRESS", 2), $$"""job3/update/accepted {"timestamp":{{t}}}"""], await device.Ask("job3/update", """{"status":"IN_PROGRESS"}"""));
        Assert.Equal(
        [
            List(In("IN_PROGRESS", Summary("job3", 2, true))),
            $$"""job2/update/accepted {"timestamp":{{t}}}""",
        ], await device.Ask("job2/update", """{"status":"REJECTED"}"""));
        await account.Call("DeleteJob", new { jobId = "job3", force = true });
        Assert.Equal(List(), await device.Told());
        Assert.Equal($$"""notify-next {"timestamp":{{t}}}""", await device.Told());
        await device.Client.Nothing();
    }

    [Fact]
    public async Task A_device_lists_takes_up_and_reports_without_having_subscribed_to_the_answers()
    {
        var (account, device) = await Thing("lamp");
        await using var _ = device;
        Assert.Equal($$"""get/accepted {"inProgressJobs":[],"queuedJobs":[],"timestamp":{{Now}},"clientToken":"one"}""", await device.Answer("get", """{"clientToken":"one"}"""));
        Assert.Equal($$"""start-next/accepted {"timestamp":{{Now}}}""", await device.Answer("start-next", ""));
        Assert.Equal($$"""$next/get/accepted {"timestamp":{{Now}}}""", await device.Answer("$next/get", "{}"));
        var first = Now;
        await account.Job("first", "lamp");
        house.Time.Advance(TimeSpan.FromSeconds(5));
        var second = Now;
        await account.Job("second", "lamp");
        Assert.Equal(
            $$"""get/accepted {"inProgressJobs":[],"queuedJobs":[{"jobId":"first","queuedAt":{{first}},"lastUpdatedAt":{{first}},"versionNumber":1,"executionNumber":1},{"jobId":"second","queuedAt":{{second}},"lastUpdatedAt":{{second}},"versionNumber":1,"executionNumber":1}],"timestamp":{{second}}}""",
            await device.Answer("get", "{}"));
        var started = await device.Accepted("start-next", """{"statusDetails":{"step":"one"},"clientToken":"t"}""");
        Assert.Equal(
            $$$$"""{"execution":{"jobId":"first","thingName":"lamp","status":"IN_PROGRESS","statusDetails":{"step":"one"},"queuedAt":{{{{first}}}},"startedAt":{{{{second}}}},"lastUpdatedAt":{{{{second}}}},"versionNumber":2,"executionNumber":1,"jobDocument":{"operation":"test"}},"timestamp":{{{{second}}}},"clientToken":"t"}""",
            started.ToJsonString());
        // It stays what is next, and what it says of itself.
        var again = await device.Accepted("start-next", """{"statusDetails":{"step":"other"}}""");
        Assert.Equal("one", (string)again["execution"]!["statusDetails"]!["step"]!);
        Assert.Equal(2, (int)again["execution"]!["versionNumber"]!);
        Assert.Equal("first", (string)(await device.Accepted("$next/get"))["execution"]!["jobId"]!);
        var described = await device.Accepted("first/get", """{"includeJobDocument":false,"executionNumber":1}""");
        Assert.Null(described["execution"]!["jobDocument"]);
        var reported = await device.Accepted("first/update",
            """{"status":"IN_PROGRESS","statusDetails":{"step":"two"},"expectedVersion":"2","includeJobExecutionState":true,"includeJobDocument":true}""");
        Assert.Equal($$$$"""{"executionState":{"status":"IN_PROGRESS","statusDetails":{"step":"two"},"versionNumber":3},"jobDocument":{"operation":"test"},"timestamp":{{{{second}}}}}""", reported.ToJsonString());
        await device.Accepted("first/update", """{"status":"SUCCEEDED","executionNumber":1}""");
        Assert.Equal("second", (string)(await device.Accepted("start-next"))["execution"]!["jobId"]!);
        await device.Accepted("second/update", """{"status":"FAILED"}""");
        Assert.Equal("Failed 1", await account.Counts("second"));
        await account.Becomes("first", "COMPLETED");
        await account.Becomes("second", "COMPLETED");
    }

    [Theory]
    [InlineData("done/update", """{"status":"IN_PROGRESS"}""", "InvalidStateTransition", """{"status":"SUCCEEDED","versionNumber":2}""")]
    [InlineData("open/update", """{"status":"IN_PROGRESS","expectedVersion":7}""", "VersionMismatch", """{"status":"QUEUED","versionNumber":1}""")]
    [InlineData("done/get", "{}", "TerminalStateReached", null)]
    [InlineData("none/get", "{}", "ResourceNotFound", null)]
    [InlineData("none/update", """{"status":"SUCCEEDED"}""", "ResourceNotFound", null)]
    [InlineData("open/get", """{"executionNumber":2}""", "ResourceNotFound", null)]
    [InlineData("open/get", """{"executionNumber":-9223372036854775808}""", "ResourceNotFound", null)]
    [InlineData("open/update", "{}", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"in_progress"}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"1"}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"CANCELED"}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"TIMED_OUT"}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":7}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"SUCCEEDED","statusDetails":{"a":1}}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"SUCCEEDED","statusDetails":[]}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"SUCCEEDED","statusDetails":{"a b":"1"}}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"SUCCEEDED","statusDetails":{"a":""}}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"SUCCEEDED","statusDetails":{"1":"1","2":"1","3":"1","4":"1","5":"1","6":"1","7":"1","8":"1","9":"1","10":"1","11":"1"}}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"IN_PROGRESS","stepTimeoutInMinutes":0}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"IN_PROGRESS","stepTimeoutInMinutes":10081}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"IN_PROGRESS","expectedVersion":"x"}""", "InvalidRequest", null)]
    [InlineData("open/update", """{"status":"IN_PROGRESS","includeJobDocument":"yes"}""", "InvalidRequest", null)]
    [InlineData("start-next", """{"stepTimeoutInMinutes":-2}""", "InvalidRequest", null)]
    [InlineData("get", """{"clientToken":7}""", "InvalidRequest", null)]
    [InlineData("get", "[]", "InvalidJson", null)]
    [InlineData("get", """{"a":""", "InvalidJson", null)]
    [InlineData("get", """{"clientToken":"a","clientToken":"b"}""", "InvalidJson", null)]
    [InlineData("nonsense", "{}", "InvalidTopic", null)]
    [InlineData("open/start", "{}", "InvalidTopic", null)]
    [InlineData("$next/update", """{"status":"SUCCEEDED"}""", "InvalidTopic", null)]
    [InlineData("a/b/get", "{}", "InvalidTopic", null)]
    public async Task What_cannot_be_is_rejected_with_the_codes_of_the_documentation(string topic, string payload, string code, string? state)
    {
        var (account, device) = await Thing("rejecting");
        await using var _ = device;
        await account.Job("done", "rejecting");
        await device.Accepted("done/update", """{"status":"SUCCEEDED"}""");
        await account.Job("open", "rejecting");
        var answer = await device.Answer(topic, payload);
        Assert.StartsWith(topic + "/rejected ", answer, StringComparison.Ordinal);
        var refusal = JsonNode.Parse(answer[(topic.Length + 10)..])!;
        Assert.Equal(code, (string)refusal["code"]!);
        Assert.NotEmpty((string)refusal["message"]!);
        Assert.Equal(Now, (long)refusal["timestamp"]!);
        Assert.Equal(state, refusal["executionState"]?.ToJsonString());
        // The next message works, and nothing has been done.
        Assert.Equal("open", (string)Assert.Single((await device.Accepted("get"))["queuedJobs"]!.AsArray())!["jobId"]!);
    }

    [Fact]
    public async Task Rejections_carry_the_token_and_deep_or_long_nonsense_harms_nobody()
    {
        var (_, device) = await Thing("nonsense");
        await using var __ = device;
        Assert.Equal("me", (string)JsonNode.Parse((await device.Answer("no/get", """{"clientToken":"me"}"""))["no/get/rejected ".Length..])!["clientToken"]!);
        foreach (var payload in new[] { new string('[', 10_000), "\"" + new string('x', 100_000) + "\"", "\u0000", "{\"clientToken\":\"\\ud800\"}" })
            Assert.StartsWith("get/rejected ", await device.Answer("get", payload), StringComparison.Ordinal);
        await device.Accepted("get");
    }

    [Fact]
    public async Task Answers_go_to_the_client_that_asked_and_to_nobody_else()
    {
        var (account, device) = await Thing("asked", "+/accepted", "+/rejected");
        await using var other = await account.Device("asked", "#");
        await using var _ = device;
        Assert.StartsWith("get/accepted", await device.Answer("get", "{}"), StringComparison.Ordinal);
        var got = Assert.Single(await Drain(other));
        Assert.Equal("get {}", got);

        static async Task<List<string>> Drain(JobDevice listener)
        {
            await listener.Client.Ping();
            List<string> all = [];
            while (listener.Client.Waiting > 0)
                all.Add(await listener.Told());
            return all;
        }
    }

    [Fact]
    public async Task Jobs_of_a_namespace_are_pending_and_told_in_it_alone()
    {
        var (account, device) = await Thing("core", "notify", "notify-next", "notify-namespace-aws-gg-deployment", "notify-next-namespace-aws-gg-deployment");
        await using var _ = device;
        await account.Call("CreateJob", new { jobId = "deploy", targets = new[] { account.Arn("thing/core") }, document = "{}", namespaceId = "aws-gg-deployment" });
        Assert.StartsWith("notify-namespace-aws-gg-deployment {", await device.Told(), StringComparison.Ordinal);
        Assert.StartsWith("notify-next-namespace-aws-gg-deployment {", await device.Told(), StringComparison.Ordinal);
        await device.Client.Nothing();
        Assert.Empty((await device.Accepted("get"))["queuedJobs"]!.AsArray());
        Assert.Null((await device.Accepted("$next/get"))["execution"]);
        Assert.Equal("deploy", (string)(await device.Accepted("$next/namespace-aws-gg-deployment/get"))["execution"]!["jobId"]!);
        Assert.Contains("ResourceNotFound", await device.Answer("deploy/namespace-other/update", """{"status":"IN_PROGRESS"}"""), StringComparison.Ordinal);
        await device.Accepted("deploy/namespace-aws-gg-deployment/update", """{"status":"IN_PROGRESS"}""");
        var all = await device.Ask("deploy/namespace-aws-gg-deployment/update", """{"status":"SUCCEEDED"}""");
        Assert.Equal(["notify-namespace-aws-gg-deployment", "notify-next-namespace-aws-gg-deployment", "deploy/namespace-aws-gg-deployment/update/accepted"], all.Select(a => a.Split(' ')[0]));
    }

    [Fact]
    public async Task A_list_has_ten_executions_at_most()
    {
        var (account, device) = await Thing("busy", "notify");
        await using var _ = device;
        for (var i = 0; i < 12; i++)
        {
            await account.Job($"j{i:D2}", "busy");
            house.Time.Advance(TimeSpan.FromSeconds(1));
            var told = JsonNode.Parse((await device.Told())["notify ".Length..])!;
            Assert.Equal(Math.Min(i + 1, 10), told["jobs"]!["QUEUED"]!.AsArray().Count);
        }
        Assert.Equal(10, (await device.Accepted("get"))["queuedJobs"]!.AsArray().Count);
    }

    [Fact]
    public async Task Another_accounts_thing_of_the_same_name_has_nothing_to_do_with_it()
    {
        var (one, device) = await Thing("twin");
        await using var _ = device;
        var (two, stranger) = await Thing("twin", "#");
        await using var __ = stranger;
        await one.Job("mine", "twin");
        Assert.Contains("ResourceNotFound", await device.Answer("other/get", "{}"), StringComparison.Ordinal);
        Assert.Contains("\"queuedJobs\":[]", (await stranger.Ask("get", "{}"))[^1], StringComparison.Ordinal);
        Assert.Equal("ResourceNotFoundException", (await two.Refused("DescribeJob", new { jobId = "mine" })).Code);
        Assert.Equal("QUEUED", await one.Status("twin", "mine"));
    }

    [Fact]
    public async Task Reports_at_the_same_time_are_taken_one_after_the_other()
    {
        var (account, device) = await Thing("racing");
        await using var _ = device;
        await account.Job("race", "racing");
        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            try
            {
                await account.Data("UpdateJobExecution", new { thingName = "racing", jobId = "race", status = "IN_PROGRESS", expectedVersion = 1 });
                return 1;
            }
            catch (Althing.Api.ServiceException refusal) when (refusal is { Code: "InvalidStateTransitionException", Status: 409 })
            {
                return 0;
            }
        }));
        Assert.Equal(1, all.Sum());
        Assert.Equal("InProgress 1", await account.Counts("race"));
    }
}

using System.Text.Json.Nodes;

namespace Althing.Tests.Jobs;

/// <summary>Timers of executions, messages for those who watch, and what survives a crash.</summary>
public sealed class JobTimeTests : IAsyncLifetime
{
    readonly JobHouse house = new();

    public ValueTask InitializeAsync() => house.InitializeAsync();

    public ValueTask DisposeAsync() => house.DisposeAsync();

    async Task<JobAccount> Timed(string thing, int? minutes)
    {
        var account = house.NewAccount();
        await account.Things(thing);
        await account.Call("CreateJob", new { jobId = "timed", targets = new[] { account.Arn("thing/" + thing) }, document = "{}", timeoutConfig = minutes is null ? null : new { inProgressTimeoutInMinutes = minutes } });
        await account.Unrolled("timed");
        return account;
    }

    [Fact]
    public async Task The_earlier_of_both_timers_ends_an_execution_and_a_step_cannot_outlast_the_job()
    {
        // The example of "How timers work for job timeouts".
        var account = await Timed("pump", 20);
        // A timer runs from the beginning of the work.
        house.Time.Advance(TimeSpan.FromHours(5));
        await using var device = await account.Device("pump", "notify", "notify-next");
        Assert.Equal(1200, (int)(await device.Accepted("start-next"))["execution"]!["approximateSecondsBeforeTimedOut"]!);
        house.Time.Advance(TimeSpan.FromMinutes(5));
        await device.Accepted("timed/update", """{"status":"IN_PROGRESS","stepTimeoutInMinutes":7}""");
        house.Time.Advance(TimeSpan.FromMinutes(5));
        await device.Accepted("timed/update", """{"status":"IN_PROGRESS","stepTimeoutInMinutes":5}""");
        house.Time.Advance(TimeSpan.FromMinutes(3));
        await device.Accepted("timed/update", """{"status":"IN_PROGRESS","stepTimeoutInMinutes":9}""");
        Assert.Equal(420, (int)(await device.Accepted("timed/get"))["execution"]!["approximateSecondsBeforeTimedOut"]!);
        house.Time.Advance(TimeSpan.FromMinutes(7) - TimeSpan.FromSeconds(1));
        Assert.Equal("IN_PROGRESS", await account.Status("pump", "timed"));
        house.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Contains("\"jobs\":{}", await device.Told(), StringComparison.Ordinal);
        Assert.StartsWith("notify-next {\"timestamp\":", await device.Told(), StringComparison.Ordinal);
        Assert.Equal("TIMED_OUT", await account.Status("pump", "timed"));
        Assert.Contains("InvalidStateTransition", await device.Answer("timed/update", """{"status":"SUCCEEDED"}"""), StringComparison.Ordinal);
        await account.Becomes("timed", "COMPLETED");
        Assert.Equal("TimedOut 1", await account.Counts("timed"));
    }

    [Fact]
    public async Task A_step_timer_is_ended_by_minus_one_and_by_the_end_of_the_work()
    {
        var account = await Timed("lamp", null);
        var started = await account.Data("StartNextPendingJobExecution", new { thingName = "lamp", stepTimeoutInMinutes = 1 });
        Assert.Equal(60, (int)started["execution"]!["approximateSecondsBeforeTimedOut"]!);
        await Report("IN_PROGRESS", -1);
        house.Time.Advance(TimeSpan.FromDays(2));
        Assert.Null((await account.Data("DescribeJobExecution", new { thingName = "lamp", jobId = "timed" }))["execution"]!["approximateSecondsBeforeTimedOut"]);
        await Report("IN_PROGRESS", 1);
        await Report("SUCCEEDED", null);
        house.Time.Advance(TimeSpan.FromDays(2));
        await account.Data("GetPendingJobExecutions", new { thingName = "lamp" });
        Assert.Equal("SUCCEEDED", await account.Status("lamp", "timed"));

        Task Report(string status, int? minutes) =>
            account.Data("UpdateJobExecution", new { thingName = "lamp", jobId = "timed", status, stepTimeoutInMinutes = minutes });
    }

    [Fact]
    public async Task Timers_survive_a_crash_and_end_what_should_have_ended_meanwhile()
    {
        var account = await Timed("crashed", 10);
        await account.Data("StartNextPendingJobExecution", new { thingName = "crashed" });
        await house.Crash();
        Assert.Equal("IN_PROGRESS", await account.Status("crashed", "timed"));
        house.Time.Advance(TimeSpan.FromMinutes(11));
        await account.Becomes("crashed", "timed", "TIMED_OUT");
        await account.Call("CreateJob", new { jobId = "second", targets = new[] { account.Arn("thing/crashed") }, document = "{}" });
        await account.Unrolled("second");
        await account.Data("StartNextPendingJobExecution", new { thingName = "crashed", stepTimeoutInMinutes = 1 });
        house.Time.Advance(TimeSpan.FromSeconds(59));
        await house.Crash();
        house.Time.Advance(TimeSpan.FromSeconds(2));
        await account.Becomes("crashed", "second", "TIMED_OUT");
    }

    [Fact]
    public async Task Watchers_hear_of_jobs_and_executions_that_end_if_the_account_wants_it()
    {
        var account = house.NewAccount();
        await account.Things("a", "b", "c");
        await using var watcher = await account.Device("watcher", "$aws/events/job/#", "$aws/events/jobExecution/#");
        await account.Job("silent", "a");
        await account.Data("UpdateJobExecution", new { thingName = "a", jobId = "silent", status = "SUCCEEDED" });
        await account.Becomes("silent", "COMPLETED");
        await account.Call("UpdateEventConfigurations", new { eventConfigurations = JsonNode.Parse("""{"JOB":{"Enabled":true},"JOB_EXECUTION":{"Enabled":true}}""") });
        await account.Job("loud", "a", "b");
        await account.Data("UpdateJobExecution", new { thingName = "a", jobId = "loud", status = "FAILED", statusDetails = new { why = "x" } });
        var (topic, message) = await Next();
        Assert.Equal("$aws/events/jobExecution/loud/failed", topic);
        Assert.Equal(("JOB_EXECUTION", "failed", "loud", account.Arn("thing/a"), "FAILED", "x"), ((string)message["eventType"]!, (string)message["operation"]!, (string)message["jobId"]!,
            (string)message["thingArn"]!, (string)message["status"]!, (string)message["statusDetails"]!["why"]!));
        await account.Call("CancelJobExecution", new { thingName = "b", jobId = "loud" });
        Assert.Equal("$aws/events/jobExecution/loud/canceled", (await Next()).Topic);
        (topic, message) = await Next();
        Assert.Equal("$aws/events/job/loud/completed", topic);
        Assert.Equal("""{"numberOfCanceledThings":1,"numberOfRejectedThings":0,"numberOfFailedThings":1,"numberOfRemovedThings":0,"numberOfSucceededThings":0,"numberOfTimedOutThings":0}""", message["jobProcessDetails"]!.ToJsonString());
        await account.Job("off", "c");
        await account.Call("CancelJob", new { jobId = "off", comment = "No" });
        (topic, message) = await Next();
        Assert.Equal(("$aws/events/job/off/cancellation_in_progress", "CANCELLATION_IN_PROGRESS", "No"), (topic, (string)message["status"]!, (string)message["comment"]!));
        Assert.Equal("$aws/events/jobExecution/off/canceled", (await Next()).Topic);
        Assert.Equal("$aws/events/job/off/canceled", (await Next()).Topic);
        await account.Call("DeleteJob", new { jobId = "off" });
        Assert.Equal("$aws/events/job/off/deletion_in_progress", (await Next()).Topic);
        Assert.Equal("$aws/events/jobExecution/off/deleted", (await Next()).Topic);
        (topic, message) = await Next();
        Assert.Equal(("$aws/events/job/off/deleted", "DELETED"), (topic, (string)message["status"]!));

        async Task<(string Topic, JsonObject Message)> Next()
        {
            var got = await watcher.Client.Message();
            return (got.Topic, JsonNode.Parse(got.Payload)!.AsObject());
        }
    }

    [Fact]
    public async Task Work_that_a_crash_interrupted_goes_on_and_what_was_missed_is_made_up_for()
    {
        var account = house.NewAccount();
        var names = Enumerable.Range(0, 300).Select(i => $"t{i:D3}").ToArray();
        await account.Things(names);
        await account.Group("g", names);
        await account.Call("CreateJob", new { jobId = "big", targets = new[] { account.Arn("thinggroup/g") }, document = "{}", targetSelection = "CONTINUOUS" });
        await house.Crash();
        await account.Unrolled("big");
        Assert.Equal("Queued 300", await account.Counts("big"));
        await account.Data("UpdateJobExecution", new { thingName = "t000", jobId = "big", status = "SUCCEEDED" });
        await account.Call("CancelJob", new { jobId = "big" });
        await house.Crash();
        await account.Unrolled("big");
        Assert.Equal("Canceled 299, Succeeded 1", await account.Counts("big"));
    }
}

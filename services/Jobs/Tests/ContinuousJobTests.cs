namespace Althing.Tests.Jobs;

/// <summary>Continuous jobs follow their groups; jobs of both kinds follow things that go.</summary>
public sealed class ContinuousJobTests(JobHouse house) : IClassFixture<JobHouse>
{
    static object Continuous(JobAccount account, string job, params string[] targets) => new
    {
        jobId = job, targets = targets.Select(account.Arn), document = """{"operation":"test"}""", targetSelection = "CONTINUOUS",
    };

    [Fact]
    public async Task What_joins_a_group_gets_the_job_and_what_leaves_loses_what_is_pending()
    {
        var account = house.NewAccount();
        await account.Things("a", "b", "c");
        await account.Group("g", "a", "b");
        await account.Call("CreateJob", Continuous(account, "keep", "thinggroup/g"));
        await account.Unrolled("keep");
        await using var device = await account.Device("c", "notify", "notify-next");
        await account.Join("g", "c");
        Assert.StartsWith("notify {", await device.Told(), StringComparison.Ordinal);
        Assert.StartsWith("notify-next {", await device.Told(), StringComparison.Ordinal);
        Assert.Equal("Queued 3", await account.Counts("keep"));
        await account.Data("UpdateJobExecution", new { thingName = "a", jobId = "keep", status = "SUCCEEDED" });
        await account.Leave("g", "a");
        await account.Leave("g", "c");
        await account.Becomes("c", "keep", "REMOVED");
        Assert.Contains("\"jobs\":{}", await device.Told(), StringComparison.Ordinal);
        Assert.Equal("Queued 1, Removed 1, Succeeded 1", await account.Counts("keep"));
        // What was removed begins anew, with another number; what succeeded has been done.
        await account.Join("g", "c");
        await account.Join("g", "a");
        await account.Becomes("c", "keep", "QUEUED");
        await house.Followed;
        var again = (await account.Call("DescribeJobExecution", new { thingName = "c", jobId = "keep" }))["execution"]!;
        Assert.Equal((2, 1), ((int)again["executionNumber"]!, (int)again["versionNumber"]!));
        Assert.Equal("REMOVED", (string)(await account.Call("DescribeJobExecution", new { thingName = "c", jobId = "keep", executionNumber = 1 }))["execution"]!["status"]!);
        Assert.Equal("Queued 2, Succeeded 1", await account.Counts("keep"));
        Assert.Equal(4, (await account.Call("ListJobExecutionsForJob", new { jobId = "keep" }))["executionSummaries"]!.AsArray().Count);
        // It is never over by itself.
        await account.Data("UpdateJobExecution", new { thingName = "b", jobId = "keep", status = "SUCCEEDED" });
        await account.Data("UpdateJobExecution", new { thingName = "c", jobId = "keep", status = "SUCCEEDED" });
        Assert.Equal("IN_PROGRESS", (string)(await account.Unrolled("keep"))["status"]!);
    }

    [Fact]
    public async Task Members_of_groups_below_a_target_are_its_members()
    {
        var account = house.NewAccount();
        await account.Things("a", "b");
        await account.Group("top");
        await account.Call("CreateThingGroup", new { thingGroupName = "below", parentGroupName = "top" });
        await account.Join("below", "a");
        await account.Call("CreateJob", Continuous(account, "deep", "thinggroup/top"));
        await account.Unrolled("deep");
        Assert.Equal("QUEUED", await account.Status("a", "deep"));
        await account.Join("below", "b");
        await account.Becomes("b", "deep", "QUEUED");
        await account.Call("DeleteThingGroup", new { thingGroupName = "below" });
        await account.Becomes("a", "deep", "REMOVED");
        await account.Becomes("b", "deep", "REMOVED");
    }

    [Fact]
    public async Task A_thing_that_is_deleted_loses_what_is_pending_of_every_job()
    {
        var account = house.NewAccount();
        await account.Things("a", "b");
        await account.Job("snap", "a", "b");
        await account.Data("UpdateJobExecution", new { thingName = "b", jobId = "snap", status = "SUCCEEDED" });
        await account.Call("DeleteThing", new { thingName = "a" });
        await account.Becomes("snap", "COMPLETED");
        Assert.Equal("Removed 1, Succeeded 1", await account.Counts("snap"));
    }

    [Fact]
    public async Task Targets_are_added_to_a_continuous_job_only()
    {
        var account = house.NewAccount();
        await account.Things("a", "b");
        await account.Group("g", "b");
        await account.Call("CreateJob", Continuous(account, "more", "thing/a"));
        await account.Unrolled("more");
        var answer = await account.Call("AssociateTargetsWithJob", new { jobId = "more", targets = new[] { account.Arn("thinggroup/g"), account.Arn("thing/a") } });
        Assert.Equal("more", (string)answer["jobId"]!);
        Assert.Equal(2, (await account.Unrolled("more"))["targets"]!.AsArray().Count);
        Assert.Equal("Queued 2", await account.Counts("more"));
        await account.Job("snap", "a");
        Assert.Equal("InvalidRequestException", (await account.Refused("AssociateTargetsWithJob", new { jobId = "snap", targets = new[] { account.Arn("thing/b") } })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("AssociateTargetsWithJob", new { jobId = "more", targets = new[] { account.Arn("thing/none") } })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("AssociateTargetsWithJob", new { jobId = "more", targets = new[] { account.Arn("thing/b") }, namespaceId = "other" })).Code);
        await account.Call("CancelJob", new { jobId = "more" });
        Assert.Equal("InvalidRequestException", (await account.Refused("AssociateTargetsWithJob", new { jobId = "more", targets = new[] { account.Arn("thing/b") } })).Code);
    }

    [Fact]
    public async Task A_cancelled_job_does_not_follow_its_groups_any_more()
    {
        var account = house.NewAccount();
        await account.Things("a", "b");
        await account.Group("g", "a");
        await account.Call("CreateJob", Continuous(account, "off", "thinggroup/g"));
        await account.Unrolled("off");
        await account.Call("CancelJob", new { jobId = "off" });
        await account.Unrolled("off");
        await account.Join("g", "b");
        await house.Followed;
        Assert.Equal("Canceled 1", await account.Counts("off"));
    }
}

using System.Text;
using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Tests.Jobs;

/// <summary>Jobs as those see them who manage a fleet.</summary>
public sealed class JobTests(JobHouse house) : IClassFixture<JobHouse>
{
    static Dictionary<string, string>[] Tag(string key, string value) => [new() { ["Key"] = key, ["Value"] = value }];

    [Fact]
    public async Task A_job_is_described_counted_and_listed()
    {
        var account = house.NewAccount();
        await account.Things("a", "b", "c");
        await account.Group("all", "a", "b", "c");
        var made = await account.Call("CreateJob", new
        {
            jobId = "update",
            targets = new[] { account.Arn("thing/a"), account.Arn("thinggroup/all") },
            document = """{"operation":"install"}""",
            description = "All of them",
            timeoutConfig = new { inProgressTimeoutInMinutes = 60 },
            tags = Tag("team", "pumps"),
        });
        Assert.Equal($$"""{"jobArn":"{{account.Arn("job/update")}}","jobId":"update","description":"All of them"}""", made.ToJsonString());
        var job = await account.Unrolled("update");
        Assert.Equal(("IN_PROGRESS", "SNAPSHOT"), ((string)job["status"]!, (string)job["targetSelection"]!));
        Assert.Equal([account.Arn("thing/a"), account.Arn("thinggroup/all")], job["targets"]!.AsArray().Select(t => (string)t!));
        Assert.Equal(60, (int)job["timeoutConfig"]!["inProgressTimeoutInMinutes"]!);
        Assert.Equal("Queued 3", await account.Counts("update"));
        Assert.Equal("""{"operation":"install"}""", (string)(await account.Call("GetJobDocument", new { jobId = "update" }))["document"]!);
        var executions = (await account.Call("ListJobExecutionsForJob", new { jobId = "update", status = "QUEUED" }))["executionSummaries"]!.AsArray();
        Assert.Equal(["a", "b", "c"], executions.Select(e => ((string)e!["thingArn"]!).Split('/')[1]));
        Assert.Empty((await account.Call("ListJobExecutionsForJob", new { jobId = "update", status = "FAILED" }))["executionSummaries"]!.AsArray());
        var ofThing = Assert.Single((await account.Call("ListJobExecutionsForThing", new { thingName = "a" }))["executionSummaries"]!.AsArray())!;
        Assert.Equal(("update", 1), ((string)ofThing["jobId"]!, (int)ofThing["jobExecutionSummary"]!["executionNumber"]!));
        Assert.Equal("pumps", (string)(await account.Call("ListTagsForResource", new { resourceArn = account.Arn("job/update") }))["tags"]![0]!["Value"]!);
        await account.Call("TagResource", new { resourceArn = account.Arn("job/update"), tags = Tag("more", "1") });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("TagResource", new { resourceArn = account.Arn("job/none"), tags = Tag("x", "") })).Code);
    }

    [Fact]
    public async Task The_same_job_again_is_the_same_and_another_of_its_id_is_refused()
    {
        var account = house.NewAccount();
        await account.Things("a");
        var request = new { jobId = "once", targets = new[] { account.Arn("thing/a") }, document = "{}", description = "x" };
        Assert.Equal((await account.Call("CreateJob", request)).ToJsonString(), (await account.Call("CreateJob", request)).ToJsonString());
        await account.Unrolled("once");
        Assert.Equal("Queued 1", await account.Counts("once"));
        var refusal = await account.Refused("CreateJob", new { request.jobId, request.targets, request.document, description = "y" });
        Assert.Equal(("ResourceAlreadyExistsException", 409), (refusal.Code, refusal.Status));
        Assert.Contains(("resourceId", "once"), refusal.Fields);
    }

    public static TheoryData<string, object, string> Refusals => new()
    {
        { "no document", new { }, "InvalidRequestException" },
        { "two documents", new { document = "{}", documentSource = "https://s3.amazonaws.com/b/k" }, "InvalidRequestException" },
        { "no JSON", new { document = "{" }, "InvalidRequestException" },
        { "unknown placeholder", new { document = """{"a":"${aws:iot:nonsense}"}""" }, "InvalidRequestException" },
        { "parameter without a template", new { document = """{"a":"${aws:iot:parameter:x}"}""" }, "InvalidRequestException" },
        { "no role for its URLs", new { document = """{"a":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}"}""" }, "InvalidRequestException" },
        { "too long in bytes", new { document = "\"" + new string('é', 20_000) + "\"" }, "InvalidRequestException" },
        { "too long", new { document = "\"" + new string('e', 32_768) + "\"" }, "InvalidRequestException" },
        { "no such object", new { documentSource = "https://s3.amazonaws.com/b/none" }, "InvalidRequestException" },
        { "no object at all", new { documentSource = "https://example.com/b/none" }, "InvalidRequestException" },
        { "no such managed template", new { jobTemplateArn = "arn:aws:iot:eu-west-1::jobtemplate/AWS-None:1.0" }, "ResourceNotFoundException" },
        { "another account's template", new { jobTemplateArn = "arn:aws:iot:eu-west-1:123456789012:jobtemplate/x" }, "InvalidRequestException" },
        { "parameters without a template", new { document = "{}", documentParameters = new { a = "b" } }, "InvalidRequestException" },
        { "too long a timer", new { document = "{}", timeoutConfig = new { inProgressTimeoutInMinutes = 10_081 } }, "InvalidRequestException" },
        { "no such thing", new { document = "{}", targets = new[] { "thing/none" } }, "ResourceNotFoundException" },
        { "no such group", new { document = "{}", targets = new[] { "thinggroup/none" } }, "ResourceNotFoundException" },
        { "no such role", new { document = "{}", presignedUrlConfig = new { roleArn = "arn:aws:iam::123456789012:role/none" } }, "InvalidRequestException" },
        { "no target", new { document = "{}", targets = new[] { "policy/x" } }, "InvalidRequestException" },
        { "too many targets", new { document = "{}", targets = Enumerable.Range(0, 101).Select(i => "thing/" + i) }, "LimitExceededException" },
        { "empty targets", new { document = "{}", targets = Array.Empty<string>() }, "InvalidRequestException" },
        { "bad namespace", new { document = "{}", namespaceId = "a b" }, "InvalidRequestException" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_job_that_cannot_be_is_refused(string what, object wish, string code)
    {
        var account = house.NewAccount();
        await account.Things("a");
        var request = System.Text.Json.JsonSerializer.SerializeToNode(wish)!.AsObject();
        request["jobId"] = "refused";
        request["targets"] = new System.Text.Json.Nodes.JsonArray([.. (request["targets"]?.AsArray().Select(t => (string)t!) ?? ["thing/a"]).Select(t => (System.Text.Json.Nodes.JsonNode)account.Arn(t)!)]);
        var refusal = await account.Refused("CreateJob", request);
        Assert.True(code == refusal.Code, $"{what}: {refusal.Code} {refusal.Message}");
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeJob", new { jobId = "refused" })).Code);
    }

    [Fact]
    public async Task Another_accounts_things_are_no_targets()
    {
        var (mine, theirs) = (house.NewAccount(), house.NewAccount());
        await theirs.Things("a");
        Assert.Equal("InvalidRequestException", (await mine.Refused("CreateJob", new { jobId = "x", targets = new[] { theirs.Arn("thing/a") }, document = "{}" })).Code);
        await theirs.Job("theirs", "a");
        foreach (var operation in new[] { "DescribeJob", "GetJobDocument", "CancelJob", "DeleteJob", "UpdateJob", "ListJobExecutionsForJob" })
            Assert.Equal("ResourceNotFoundException", (await mine.Refused(operation, new { jobId = "theirs" })).Code);
        Assert.Empty((await mine.Call("ListJobs", new { }))["jobs"]!.AsArray());
    }

    [Fact]
    public async Task Who_may_not_is_denied_on_the_job_or_on_its_target()
    {
        var account = house.NewAccount();
        await account.Things("a");
        var policy = PolicyDocument.Parse($$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:CreateJob","Resource":"{{account.Arn("job/*")}}"}]}""");
        var caller = account.Root with { Kind = CallerKind.User, Arn = $"arn:aws:iam::{account.Id}:user/x", Policies = [policy] };
        var request = new { jobId = "x", targets = new[] { account.Arn("thing/a") }, document = "{}" };
        Assert.Equal("AccessDeniedException", (await account.Refused("CreateJob", request, caller: caller)).Code);
        var more = PolicyDocument.Parse($$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:CreateJob","Resource":"{{account.Arn("thing/a")}}"}]}""");
        await account.Call("CreateJob", request, caller: caller with { Policies = [policy, more] });
        Assert.Equal("AccessDeniedException", (await account.Refused("DescribeJob", new { jobId = "x" }, caller: caller)).Code);
        Assert.Equal("AccessDeniedException", (await account.Refused("GetPendingJobExecutions", new { thingName = "a" }, "iot-jobs-data", caller)).Code);
    }

    [Fact]
    public async Task Lists_are_filtered_and_come_in_pages()
    {
        var account = house.NewAccount();
        await account.Things("a");
        await account.Group("g", "a");
        var group = (string)(await account.Call("DescribeThingGroup", new { thingGroupName = "g" }))["thingGroupId"]!;
        for (var i = 0; i < 5; i++)
        {
            await account.Call("CreateJob", new { jobId = $"s{i}", targets = new[] { account.Arn("thing/a") }, document = "{}" });
            await account.Call("CreateJob", new { jobId = $"c{i}", targets = new[] { account.Arn("thinggroup/g") }, document = "{}", targetSelection = "CONTINUOUS", namespaceId = i % 2 == 0 ? "even" : null });
            house.Time.Advance(TimeSpan.FromSeconds(1));
        }
        await account.Call("CancelJob", new { jobId = "c0" });
        Assert.Equal("s4 c4 s3 c3 s2 c2 s1 c1 s0 c0".Split(' ').Order(), (await All(new { })).Order());
        Assert.Equal(["c4", "c3", "c2", "c1"], await All(new { targetSelection = "CONTINUOUS", status = "IN_PROGRESS" }));
        Assert.Equal(["c0"], await All(new { status = "CANCELED" }));
        Assert.Equal(["c4", "c3", "c2", "c1", "c0"], await All(new { thingGroupName = "g" }));
        Assert.Equal(["c4", "c2", "c0"], await All(new { thingGroupId = group, namespaceId = "even" }));
        Assert.Empty(await All(new { thingGroupName = "other" }));
        Assert.Equal(10, (await Executions(new { thingName = "a" })).Count);
        Assert.Equal(["c0", "c2", "c4"], await Executions(new { thingName = "a", namespaceId = "even" }));
        Assert.Equal(["s3"], await Executions(new { thingName = "a", jobId = "s3", status = "QUEUED" }));

        async Task<List<string>> All(object filter) => await Pages("ListJobs", filter, "jobs");

        async Task<List<string>> Executions(object filter)
        {
            foreach (var job in new[] { "c1", "c2", "c3", "c4", "s0", "s4" })
                await account.Unrolled(job);
            return await Pages("ListJobExecutionsForThing", filter, "executionSummaries");
        }

        async Task<List<string>> Pages(string operation, object filter, string list)
        {
            List<string> ids = [];
            string? token = null;
            do
            {
                var request = System.Text.Json.JsonSerializer.SerializeToNode(filter)!.AsObject();
                (request["maxResults"], request["nextToken"]) = (2, token);
                var page = await account.Call(operation, request);
                ids.AddRange(page[list]!.AsArray().Select(j => (string)j!["jobId"]!));
                token = (string?)page["nextToken"];
            }
            while (token is not null);
            return ids;
        }
    }

    [Fact]
    public async Task A_cancelled_job_keeps_what_is_in_progress_unless_forced()
    {
        var account = house.NewAccount();
        await account.Things("waits", "works", "done");
        await account.Job("stop", "waits", "works", "done");
        await account.Data("StartNextPendingJobExecution", new { thingName = "works" });
        await account.Data("UpdateJobExecution", new { thingName = "done", jobId = "stop", status = "SUCCEEDED" });
        await account.Call("CancelJob", new { jobId = "stop", reasonCode = "TOO_SLOW", comment = "Never mind" });
        var job = await account.Unrolled("stop");
        Assert.Equal(("CANCELED", "TOO_SLOW", "Never mind"), ((string)job["status"]!, (string)job["reasonCode"]!, (string)job["comment"]!));
        Assert.Equal("Canceled 1, InProgress 1, Succeeded 1", await account.Counts("stop"));
        // Its device goes on.
        await account.Data("UpdateJobExecution", new { thingName = "works", jobId = "stop", status = "IN_PROGRESS", statusDetails = new { at = "90%" } });
        await account.Call("CancelJob", new { jobId = "stop", force = true });
        job = await account.Unrolled("stop");
        Assert.True((bool)job["forceCanceled"]!);
        Assert.Equal("Canceled 2, Succeeded 1", await account.Counts("stop"));
        Assert.True((bool)(await account.Call("DescribeJobExecution", new { thingName = "works", jobId = "stop" }))["execution"]!["forceCanceled"]!);
        var late = await account.Refused("UpdateJobExecution", new { thingName = "works", jobId = "stop", status = "SUCCEEDED" }, "iot-jobs-data");
        Assert.Equal("InvalidStateTransitionException", late.Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("CancelJob", new { jobId = "stop", force = true })).Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateJob", new { jobId = "stop", description = "x" })).Code);
    }

    [Fact]
    public async Task A_job_that_is_not_over_is_deleted_by_force_only_and_then_its_id_is_free()
    {
        var account = house.NewAccount();
        await account.Things("a", "b");
        await account.Job("gone", "a", "b");
        var refusal = await account.Refused("DeleteJob", new { jobId = "gone" });
        Assert.Equal(("InvalidStateTransitionException", 409), (refusal.Code, refusal.Status));
        await account.Call("DeleteJob", new { jobId = "gone", force = true });
        await Gone("gone");
        Assert.Empty((await account.Call("ListJobExecutionsForThing", new { thingName = "a" }))["executionSummaries"]!.AsArray());
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeJobExecution", new { thingName = "a", jobId = "gone" })).Code);
        await account.Job("gone", "b");
        Assert.Equal("Queued 1", await account.Counts("gone"));

        async Task Gone(string job)
        {
            for (var i = 0; i < 2000; i++)
            {
                try
                {
                    Assert.Equal("DELETION_IN_PROGRESS", (string)(await account.Call("DescribeJob", new { jobId = job }))["job"]!["status"]!);
                }
                catch (ServiceException missing) when (missing.Code == "ResourceNotFoundException")
                {
                    return;
                }
                await Task.Delay(5);
            }
            Assert.Fail("It is still there.");
        }
    }

    [Fact]
    public async Task Single_executions_are_cancelled_and_deleted()
    {
        var account = house.NewAccount();
        await account.Things("a", "b");
        await account.Job("one", "a", "b");
        Assert.Equal("VersionConflictException", (await account.Refused("CancelJobExecution", new { thingName = "a", jobId = "one", expectedVersion = 5 })).Code);
        await account.Data("StartNextPendingJobExecution", new { thingName = "a", statusDetails = new { x = "1" } });
        Assert.Equal("InvalidStateTransitionException", (await account.Refused("CancelJobExecution", new { thingName = "a", jobId = "one" })).Code);
        await account.Call("CancelJobExecution", new { thingName = "a", jobId = "one", force = true, expectedVersion = 2, statusDetails = new { why = "late" } });
        var execution = (await account.Call("DescribeJobExecution", new { thingName = "a", jobId = "one" }))["execution"]!;
        Assert.Equal(("CANCELED", 3, """{"why":"late"}"""), ((string)execution["status"]!, (int)execution["versionNumber"]!, execution["statusDetails"]!["detailsMap"]!.ToJsonString()));
        Assert.Equal("InvalidStateTransitionException", (await account.Refused("DeleteJobExecution", new { thingName = "b", jobId = "one", executionNumber = 1 })).Code);
        await account.Call("DeleteJobExecution", new { thingName = "b", jobId = "one", executionNumber = 1, force = true });
        await account.Call("DeleteJobExecution", new { thingName = "a", jobId = "one", executionNumber = 1 });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DeleteJobExecution", new { thingName = "a", jobId = "one", executionNumber = 1 })).Code);
        Assert.Equal("", await account.Counts("one"));
        await account.Becomes("one", "COMPLETED");
    }

    [Fact]
    public async Task A_document_and_its_files_are_objects()
    {
        var account = house.NewAccount();
        await account.Things("a");
        var role = new Role
        {
            Account = account.Id, Name = "downloads", Id = "AROAX", CreatedAt = house.Time.GetUtcNow(),
            TrustPolicy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"iot.amazonaws.com"},"Action":"sts:AssumeRole"}]}""",
        };
        await house.Store.Commit(new Batch().Put(Role.Table, role), default);
        house.Files.Objects[(account.Id.Value, "jobs", "v1/job.json")] = Encoding.UTF8.GetBytes("""{"image":"${aws:iot:s3-presigned-url:https://s3.eu-central-1.amazonaws.com/images/a b.bin}","n":1}""");
        await account.Call("CreateJob", new
        {
            jobId = "files", targets = new[] { account.Arn("thing/a") }, documentSource = "https://jobs.s3.amazonaws.com/v1/job.json",
            presignedUrlConfig = new { roleArn = role.Arn, expiresInSec = 600 },
        });
        await account.Unrolled("files");
        Assert.Contains("${aws:iot:", (string)(await account.Call("GetJobDocument", new { jobId = "files" }))["document"]!, StringComparison.Ordinal);
        await using var device = await account.Device("a");
        var document = (await device.Accepted("$next/get"))["execution"]!["jobDocument"]!;
        Assert.Equal("https://signed.test/images/a%20b.bin?role=downloads&region=eu-central-1&seconds=600", (string)document["image"]!);
        // Another content of the object later changes nothing.
        house.Files.Objects.Clear();
        var text = (string)(await account.Data("DescribeJobExecution", new { thingName = "a", jobId = "files" }))["execution"]!["jobDocument"]!;
        Assert.StartsWith("""{"image":"https://signed.test/""", text, StringComparison.Ordinal);
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateJob", new { jobId = "files", presignedUrlConfig = new { expiresInSec = 60 } })).Code);
        await account.Call("UpdateJob", new { jobId = "files", description = "New words" });
        Assert.Equal("New words", (string)(await account.Unrolled("files"))["description"]!);
    }
}

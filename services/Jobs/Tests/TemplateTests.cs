using System.Text;
using System.Text.Json.Nodes;

namespace Althing.Tests.Jobs;

/// <summary>Job templates, the account's own and those that the platform brings, and jobs made of them.</summary>
public sealed class TemplateTests(JobHouse house) : IClassFixture<JobHouse>
{
    static string Managed(string name) => $"arn:aws:iot:eu-west-1::jobtemplate/AWS-{name}:1.0";

    async Task<JobAccount> Account()
    {
        var account = house.NewAccount();
        await account.Things("a");
        return account;
    }

    static object Request(JobAccount account, string job, string template, object? parameters = null) =>
        new { jobId = job, targets = new[] { account.Arn("thing/a") }, jobTemplateArn = template, documentParameters = parameters };

    static async Task<string> Document(JobAccount account, string job, bool before = false) =>
        (string)(await account.Call("GetJobDocument", new { jobId = job, beforeSubstitution = before }))["document"]!;

    [Fact]
    public async Task A_template_is_kept_described_listed_tagged_and_deleted()
    {
        var account = await Account();
        var tags = new[] { new Dictionary<string, string> { ["Key"] = "team", ["Value"] = "pumps" } };
        var request = new { jobTemplateId = "reset", document = """{"do":"reset"}""", description = "Resets", timeoutConfig = new { inProgressTimeoutInMinutes = 5 }, tags };
        var made = await account.Call("CreateJobTemplate", request);
        Assert.Equal($$"""{"jobTemplateArn":"{{account.Arn("jobtemplate/reset")}}","jobTemplateId":"reset"}""", made.ToJsonString());
        var again = await account.Refused("CreateJobTemplate", request);
        Assert.Equal(("ConflictException", 409), (again.Code, again.Status));
        Assert.Contains(("resourceId", "reset"), again.Fields);
        var template = await account.Call("DescribeJobTemplate", new { jobTemplateId = "reset" });
        Assert.Equal(("""{"do":"reset"}""", "Resets", 5), ((string)template["document"]!, (string)template["description"]!, (int)template["timeoutConfig"]!["inProgressTimeoutInMinutes"]!));
        Assert.Equal("pumps", (string)(await account.Call("ListTagsForResource", new { resourceArn = account.Arn("jobtemplate/reset") }))["tags"]![0]!["Value"]!);
        await account.Call("CreateJobTemplate", new { jobTemplateId = "other", document = "{}", description = "Other" });
        var first = await account.Call("ListJobTemplates", new { maxResults = 1 });
        var second = await account.Call("ListJobTemplates", new { maxResults = 1, nextToken = (string)first["nextToken"]! });
        Assert.Equal(("other", "reset", null), ((string)first["jobTemplates"]![0]!["jobTemplateId"]!, (string)second["jobTemplates"]![0]!["jobTemplateId"]!, second["nextToken"]));
        Assert.Empty((await house.NewAccount().Call("ListJobTemplates", new { }))["jobTemplates"]!.AsArray());
        Assert.Equal("ResourceNotFoundException", (await house.NewAccount().Refused("DescribeJobTemplate", new { jobTemplateId = "reset" })).Code);
        await account.Call("DeleteJobTemplate", new { jobTemplateId = "reset" });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DeleteJobTemplate", new { jobTemplateId = "reset" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListTagsForResource", new { resourceArn = account.Arn("jobtemplate/reset") })).Code);
    }

    [Fact]
    public async Task A_job_takes_from_its_template_what_it_does_not_say_itself()
    {
        var account = await Account();
        house.Files.Objects[(account.Id.Value, "docs", "job.json")] = Encoding.UTF8.GetBytes("""{"v": 1}""");
        const string source = "https://s3.amazonaws.com/docs/job.json";
        await account.Call("CreateJobTemplate", new { jobTemplateId = "t", documentSource = source, description = "From a file", timeoutConfig = new { inProgressTimeoutInMinutes = 7 } });
        house.Files.Objects.Clear();
        var made = await account.Call("CreateJob", Request(account, "plain", account.Arn("jobtemplate/t")));
        Assert.Equal("From a file", (string)made["description"]!);
        var job = await account.Unrolled("plain");
        Assert.Equal((account.Arn("jobtemplate/t"), 7), ((string)job["jobTemplateArn"]!, (int)job["timeoutConfig"]!["inProgressTimeoutInMinutes"]!));
        Assert.Equal(source, (string)(await account.Call("DescribeJob", new { jobId = "plain" }))["documentSource"]!);
        Assert.Equal("""{"v": 1}""", await Document(account, "plain"));
        await account.Call("CreateJob", new
        {
            jobId = "own", targets = new[] { account.Arn("thing/a") }, jobTemplateArn = account.Arn("jobtemplate/t"), document = """{"v": 2}""", description = "Mine",
            timeoutConfig = new { inProgressTimeoutInMinutes = 9 },
        });
        job = await account.Unrolled("own");
        Assert.Equal(("Mine", 9), ((string)job["description"]!, (int)job["timeoutConfig"]!["inProgressTimeoutInMinutes"]!));
        Assert.Equal("""{"v": 2}""", await Document(account, "own"));
        await account.Call("CreateJobTemplate", new { jobTemplateId = "again", jobArn = account.Arn("job/own"), description = "Of a job" });
        var template = await account.Call("DescribeJobTemplate", new { jobTemplateId = "again" });
        Assert.Equal(("""{"v": 2}""", 9, "Of a job"), ((string)template["document"]!, (int)template["timeoutConfig"]!["inProgressTimeoutInMinutes"]!, (string)template["description"]!));
        Assert.Equal("InvalidRequestException", (await account.Refused("CreateJob", Request(account, "x", account.Arn("jobtemplate/t"), new { a = "b" }))).Code);
    }

    public static TheoryData<string, object, string> Refusals => new()
    {
        { "nothing", new { }, "InvalidRequestException" },
        { "two documents", new { document = "{}", jobArn = "arn:aws:iot:eu-west-1:123456789012:job/x" }, "InvalidRequestException" },
        { "no JSON", new { document = "{" }, "InvalidRequestException" },
        { "parameters", new { document = """{"a":"${aws:iot:parameter:x}"}""" }, "InvalidRequestException" },
        { "a job elsewhere", new { jobArn = "arn:aws:iot:eu-west-1:123456789012:job/x" }, "InvalidRequestException" },
        { "timer", new { document = "{}", timeoutConfig = new { inProgressTimeoutInMinutes = 0 } }, "InvalidRequestException" },
        { "rate", new { document = "{}", jobExecutionsRolloutConfig = new { maximumPerMinute = 1001 } }, "InvalidRequestException" },
        { "retries", new { document = "{}", jobExecutionsRetryConfig = new { criteriaList = new[] { new { failureType = "FAILED", numberOfRetries = 6 }, new { failureType = "TIMED_OUT", numberOfRetries = 5 } } } }, "InvalidRequestException" },
        { "no role", new { document = "{}", presignedUrlConfig = new { roleArn = "arn:aws:iam::123456789012:role/none" } }, "InvalidRequestException" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_template_that_cannot_be_is_refused(string what, object wish, string code)
    {
        var account = house.NewAccount();
        var request = System.Text.Json.JsonSerializer.SerializeToNode(wish)!.AsObject();
        (request["jobTemplateId"], request["description"]) = ("refused", "x");
        var refusal = await account.Refused("CreateJobTemplate", request);
        Assert.True(code == refusal.Code, $"{what}: {refusal.Code} {refusal.Message}");
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeJobTemplate", new { jobTemplateId = "refused" })).Code);
    }

    [Fact]
    public async Task Managed_templates_are_listed_and_described()
    {
        var account = house.NewAccount();
        var all = (await account.Call("ListManagedJobTemplates", new { }))["managedJobTemplates"]!.AsArray();
        Assert.Equal("Download-File Install-Application Reboot Remove-Application Restart-Application Run-Command Start-Application Stop-Application".Split(' ').Select(Managed),
            all.Select(t => (string)t!["templateArn"]!));
        var one = Assert.Single((await account.Call("ListManagedJobTemplates", new { templateName = "AWS-Reboot" }))["managedJobTemplates"]!.AsArray())!;
        Assert.Equal(("AWS-Reboot", "1.0", "LINUX"), ((string)one["templateName"]!, (string)one["templateVersion"]!, (string)one["environments"]![0]!));
        var described = await account.Call("DescribeManagedJobTemplate", new { templateName = "AWS-Download-File", templateVersion = "1.0" });
        Assert.Equal(["downloadUrl False", "filePath False", "runAsUser True", "pathToHandler True"], described["documentParameters"]!.AsArray().Select(p => $"{p!["key"]} {p["optional"]!.GetValue<bool>()}"));
        var action = JsonNode.Parse((string)described["document"]!)!["steps"]![0]!["action"]!;
        Assert.Equal(("Download-File", "runHandler", "download-file.sh", "${aws:iot:parameter:filePath}"),
            ((string)action["name"]!, (string)action["type"]!, (string)action["input"]!["handler"]!, (string)action["input"]!["args"]![1]!));
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeManagedJobTemplate", new { templateName = "AWS-Reboot", templateVersion = "2.0" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeManagedJobTemplate", new { templateName = "AWS-Dance" })).Code);
    }

    [Fact]
    public async Task Values_are_put_into_a_managed_templates_document_and_stay_within_their_strings()
    {
        var account = await Account();
        const string evil = """x","handler":"rm.sh"} \ é""";
        await account.Call("CreateJob", Request(account, "file", Managed("Download-File"), new { downloadUrl = "https://h/a?b=1&c='2'", filePath = evil, runAsUser = "pump" }));
        await account.Unrolled("file");
        var action = JsonNode.Parse(await Document(account, "file"))!["steps"]![0]!["action"]!;
        Assert.Equal(["https://h/a?b=1&c='2'", evil], action["input"]!["args"]!.AsArray().Select(a => (string)a!));
        Assert.Equal(("download-file.sh", "pump", null), ((string)action["input"]!["handler"]!, (string)action["runAsUser"]!, action["input"]!["path"]));
        Assert.Contains("${aws:iot:parameter:filePath}", await Document(account, "file", before: true), StringComparison.Ordinal);
        var job = (await account.Call("DescribeJob", new { jobId = "file" }))["job"]!;
        Assert.Equal((Managed("Download-File"), evil), ((string)job["jobTemplateArn"]!, (string)job["documentParameters"]!["filePath"]!));
        await using var device = await account.Device("a");
        Assert.Equal(evil, (string)(await device.Accepted("$next/get"))["execution"]!["jobDocument"]!["steps"]![0]!["action"]!["input"]!["args"]![1]!);
        await account.Call("CreateJob", Request(account, "reboot", Managed("Reboot")));
        Assert.Equal("""{"version":"1.0","steps":[{"action":{"name":"Reboot","type":"runHandler","input":{"handler":"reboot.sh"}}}]}""", await Document(account, "reboot"));
        // A template of such a job has the values in it.
        await account.Call("CreateJobTemplate", new { jobTemplateId = "fixed", jobArn = account.Arn("job/file"), description = "Always this file" });
        await account.Call("CreateJob", Request(account, "fixed", account.Arn("jobtemplate/fixed")));
        Assert.Equal(await Document(account, "file"), await Document(account, "fixed"));
    }

    [Theory]
    [InlineData("unknown", "Reboot", """{"speed":"fast"}""", "InvalidRequestException")]
    [InlineData("missing", "Download-File", """{"downloadUrl":"https://h/"}""", "InvalidRequestException")]
    [InlineData("too long", "Reboot", "LONG", "InvalidRequestException")]
    [InlineData("placeholder of another kind", "Run-Command", """{"command":"${aws:iot:nonsense}"}""", "InvalidRequestException")]
    [InlineData("presigned without a role", "Run-Command", """{"command":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}"}""", "InvalidRequestException")]
    [InlineData("no such template", "Dance", """{}""", "ResourceNotFoundException")]
    public async Task Values_that_do_not_fit_are_refused(string what, string template, string parameters, string code)
    {
        var account = await Account();
        var values = JsonNode.Parse(parameters == "LONG" ? $$"""{"runAsUser":"{{new string('u', 257)}}"}""" : parameters);
        var refusal = await account.Refused("CreateJob", Request(account, "x", Managed(template), values));
        Assert.True(code == refusal.Code, $"{what}: {refusal.Code} {refusal.Message}");
    }
}

using Althing.Api;
using Althing.Identity;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Ota;

/// <summary>Streams as their owner makes, changes and lists them ("Managing a stream in the AWS Cloud").</summary>
public sealed class StreamTests(OtaHouse house) : IClassFixture<OtaHouse>
{
    [Fact]
    public async Task A_stream_is_made_described_changed_listed_and_deleted()
    {
        var account = await house.NewAccount();
        await account.Put("one.bin", new byte[300]);
        var version = await account.Put("two.bin", new byte[10]);
        var made = await account.Call("CreateStream", new
        {
            streamId = "firmware", description = "What pumps run", roleArn = account.RoleArn, files = new[] { account.File(0, "one.bin"), account.File(255, "two.bin", version) },
        });
        Assert.Equal(account.Arn("stream/firmware"), (string)made["streamArn"]!);
        Assert.Equal(1, (int)made["streamVersion"]!);
        Assert.Equal("What pumps run", (string)made["description"]!);
        house.Time.Advance(TimeSpan.FromSeconds(1));
        var later = house.Time.GetUtcNow();
        var changed = await account.Call("UpdateStream", new { streamId = "firmware", description = "What pumps will run" });
        Assert.Equal(2, (int)changed["streamVersion"]!);
        var info = (await account.Call("DescribeStream", new { streamId = "firmware" }))["streamInfo"]!;
        Assert.Equal(2, (int)info["streamVersion"]!);
        Assert.Equal("What pumps will run", (string)info["description"]!);
        Assert.Equal(account.RoleArn, (string)info["roleArn"]!);
        Assert.Equal(later.ToUnixTimeSeconds(), (long)(double)info["lastUpdatedAt"]!);
        Assert.Equal(later.ToUnixTimeSeconds() - 1, (long)(double)info["createdAt"]!);
        Assert.Equal(
            $$$"""[{"fileId":0,"s3Location":{"bucket":"{{{account.Bucket}}}","key":"one.bin"}},{"fileId":255,"s3Location":{"bucket":"{{{account.Bucket}}}","key":"two.bin","version":"{{{version}}}"}}]""",
            info["files"]!.ToJsonString());
        changed = await account.Call("UpdateStream", new { streamId = "firmware", files = new[] { account.File(7, "two.bin") } });
        Assert.Equal(3, (int)changed["streamVersion"]!);
        Assert.Equal("What pumps will run", (string)changed["description"]!);
        var summary = Assert.Single((await account.Call("ListStreams", new { }))["streams"]!.AsArray())!;
        Assert.Equal("firmware 3", $"{summary["streamId"]} {summary["streamVersion"]}");
        await account.Call("DeleteStream", new { streamId = "firmware" });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeStream", new { streamId = "firmware" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("UpdateStream", new { streamId = "firmware" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DeleteStream", new { streamId = "firmware" })).Code);
        // Its tags went with it, and another one of its name begins anew.
        Assert.Equal(1, (int)(await account.Stream("firmware", account.File(1, "one.bin")))["streamVersion"]!);
    }

    [Fact]
    public async Task Streams_are_listed_page_by_page_the_latest_first_or_last()
    {
        var account = await house.NewAccount();
        await account.Put("f", [1]);
        for (var i = 0; i < 7; i++)
        {
            house.Time.Advance(TimeSpan.FromSeconds(1));
            await account.Stream($"s{i}", account.File(0, "f"));
        }
        Assert.Equal("s6 s5 s4 s3 s2 s1 s0", await Listed(null));
        Assert.Equal("s0 s1 s2 s3 s4 s5 s6", await Listed(true));

        async Task<string> Listed(bool? ascending)
        {
            List<string> ids = [];
            string? token = null;
            do
            {
                var page = await account.Call("ListStreams", new { maxResults = 3, ascendingOrder = ascending, nextToken = token });
                ids.AddRange(page["streams"]!.AsArray().Select(s => (string)s!["streamId"]!));
                token = (string?)page["nextToken"];
            }
            while (token is not null);
            return string.Join(' ', ids);
        }
    }

    [Fact]
    public async Task A_stream_needs_objects_that_are_there_and_a_role_that_may_read_them()
    {
        var account = await house.NewAccount();
        await account.Put("there", [1]);
        await account.Role("blind", "s3:ListBucket", "*");
        await account.Role("stranger", "s3:*", "*", """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}""");
        var there = new[] { account.File(0, "there") };
        Assert.Equal("ResourceNotFoundException", await Code(new[] { account.File(0, "missing") }));
        Assert.Equal("ResourceNotFoundException", await Code(new[] { account.File(0, "there", "no-such-version") }));
        Assert.Equal("UnauthorizedException", await Code(there, "blind"));
        Assert.Equal("InvalidRequestException", await Code(there, "stranger"));
        Assert.Equal("InvalidRequestException", await Code(there, "nobody"));
        Assert.Equal("InvalidRequestException", await Code(new[] { account.File(0, "there"), account.File(0, "there") }));
        Assert.Equal("InvalidRequestException", await Code(new object[] { new { s3Location = new { bucket = account.Bucket, key = "there" } } }));
        Assert.Equal("InvalidRequestException", await Code(new object[] { new { fileId = 1 } }));
        Assert.Equal("InvalidRequestException", await Code(new object[] { new { fileId = 1, s3Location = new { bucket = account.Bucket } } }));
        Assert.Equal("InvalidRequestException", await Code(new object[] { new { fileId = 256, s3Location = new { bucket = account.Bucket, key = "there" } } }));
        Assert.Equal("InvalidRequestException", await Code(Array.Empty<object>()));
        Assert.Equal("InvalidRequestException", await Code(Enumerable.Range(0, 51).Select(i => account.File(i, "there")).ToArray()));
        await account.Call("CreateStream", new { streamId = "s", roleArn = account.RoleArn, files = Enumerable.Range(0, 50).Select(i => account.File(i, "there")) });
        Assert.Equal("UnauthorizedException", (await account.Refused("UpdateStream", new { streamId = "s", roleArn = $"arn:aws:iam::{account.Id}:role/blind" })).Code);
        var again = await account.Refused("CreateStream", new { streamId = "s", files = there, roleArn = account.RoleArn });
        Assert.Equal("ResourceAlreadyExistsException", again.Code);
        Assert.Contains(("resourceArn", account.Arn("stream/s")), again.Fields);

        async Task<string> Code(object files, string role = "streams") =>
            (await account.Refused("CreateStream", new { streamId = "s", files, roleArn = $"arn:aws:iam::{account.Id}:role/{role}" })).Code;
    }

    [Fact]
    public async Task Streams_have_tags_and_stay_within_their_account()
    {
        var (account, other) = (await house.NewAccount(), await house.NewAccount());
        await account.Put("f", [1]);
        await account.Call("CreateStream", new { streamId = "s", files = new[] { account.File(0, "f") }, roleArn = account.RoleArn, tags = new[] { Tag("team", "pumps") } });
        await account.Call("TagResource", new { resourceArn = account.Arn("stream/s"), tags = new[] { Tag("line", "7") } });
        var tags = (await account.Call("ListTagsForResource", new { resourceArn = account.Arn("stream/s") }))["tags"]!.AsArray();
        Assert.Equal("line=7 team=pumps", string.Join(' ', tags.Select(t => $"{t!["Key"]}={t["Value"]}")));
        Assert.Equal("ResourceNotFoundException", (await account.Refused("TagResource", new { resourceArn = account.Arn("stream/t"), tags = new[] { Tag("a", "b") } })).Code);
        Assert.Equal("ResourceNotFoundException", (await other.Refused("DescribeStream", new { streamId = "s" })).Code);
        Assert.Empty((await other.Call("ListStreams", new { }))["streams"]!.AsArray());
        // The object is another account's.
        Assert.Equal("UnauthorizedException", (await other.Refused("CreateStream", new { streamId = "s", files = new[] { account.File(0, "f") }, roleArn = other.RoleArn })).Code);
        await other.Role("curious", "s3:*", "*");
        Assert.Equal("ResourceNotFoundException",
            (await other.Refused("CreateStream", new { streamId = "s", files = new[] { account.File(0, "f") }, roleArn = $"arn:aws:iam::{other.Id}:role/curious" })).Code);
    }

    [Fact]
    public async Task Who_makes_a_stream_must_be_allowed_to_pass_its_role()
    {
        var account = await house.NewAccount();
        await account.Put("f", [1]);
        var request = new { streamId = "s", files = new[] { account.File(0, "f") }, roleArn = account.RoleArn };
        Assert.Equal("AccessDeniedException", (await account.Refused("CreateStream", request, User("\"iot:CreateStream\""))).Code);
        Assert.Equal("AccessDeniedException", (await account.Refused("CreateStream", request, User("\"iam:PassRole\""))).Code);
        await account.Call("CreateStream", request, User("\"iot:CreateStream\",\"iam:PassRole\""));
        await account.Call("UpdateStream", new { streamId = "s", description = "d" }, User("\"iot:UpdateStream\""));
        Assert.Equal("AccessDeniedException", (await account.Refused("UpdateStream", new { streamId = "s", roleArn = account.RoleArn }, User("\"iot:UpdateStream\""))).Code);

        Caller User(string actions) => account.Root with
        {
            Kind = CallerKind.User, Arn = $"arn:aws:iam::{account.Id}:user/u",
            Policies = [PolicyDocument.Parse($$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[{{actions}}],"Resource":"*"}]}""")],
        };
    }
}

using System.Net;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Althing.Tests.Api;

/// <summary>What the door keeps: the audit log, first answers, tags, limits.</summary>
public sealed class DoorKeepingTests
{
    static async Task<ToyHouse> Open(ThrottleOptions? throttling = null)
    {
        var house = new ToyHouse { Throttling = throttling ?? new() };
        await house.InitializeAsync();
        return house;
    }

    [Fact]
    public async Task Every_change_is_in_the_audit_log_after_a_clean_stop_with_its_secrets_out()
    {
        var house = await Open();
        var account = await house.NewAccount();
        await account.Send("PUT", "/toys/ball", """{"size":3,"password":"hush","clientToken":"t-1"}""");
        await account.Send("PUT", "/toys/ball", """{"size":99}""");
        await account.Send("GET", "/toys/ball");
        // The log is written out by the stop; a copy of the path survives the folder's removal only if read before.
        await house.Services.GetRequiredService<AuditLog>().DisposeAsync();
        var lines = (await File.ReadAllLinesAsync(Path.Combine(house.Folder, "audit.jsonl"))).Select(l => JsonNode.Parse(l)!).ToList();
        await house.DisposeAsync();
        Assert.Equal(2, lines.Count);
        Assert.Equal("PutToy", lines[0]["eventName"]!.GetValue<string>());
        Assert.Equal(account.Id.Value, lines[0]["accountId"]!.GetValue<string>());
        Assert.Equal(account.KeyId, lines[0]["accessKeyId"]!.GetValue<string>());
        Assert.Equal("""{"size":3,"password":"***","clientToken":"t-1","toyName":"ball"}""", lines[0]["requestParameters"]!.ToJsonString());
        Assert.Null(lines[0]["errorCode"]);
        Assert.Equal("InvalidRequestException", lines[1]["errorCode"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_audit_log_turns_over_at_its_limit_and_keeps_the_last_files()
    {
        await using var storage = new TemporaryStorage();
        await using var house = await Open();
        var operation = house.Services.GetRequiredService<OperationCatalog>().Find("toy", "PutToy")!;
        var caller = new Althing.Identity.Caller { Account = new("123456789012"), Arn = "a", UserId = "u", Kind = Althing.Identity.CallerKind.Root, Region = "r" };
        var log = new AuditLog(storage.Folder, house.Time, NullLogger.Instance, bytesMax: 1000);
        for (var i = 0; i < 100; i++)
            await log.Note(operation, caller, new() { ["toyName"] = new string('x', 10_000) }, null, new(null, null, "id"));
        await log.DisposeAsync();
        var files = Directory.GetFiles(storage.Folder, "audit.jsonl*");
        Assert.InRange(files.Length, 4, 5);
        Assert.All(files, f => Assert.InRange(new FileInfo(f).Length, 1, 5000));
    }

    [Fact]
    public async Task A_repeated_token_answers_the_first_answer_and_refuses_another_request()
    {
        await using var house = await Open();
        var account = await house.NewAccount();
        var first = await account.Send("PUT", "/toys/once", """{"size":3,"clientToken":"t-1"}""");
        var again = await account.Send("PUT", "/toys/once", """{"clientToken":"t-1","size":3}""");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadRequest, (await account.Send("PUT", "/toys/once", """{"size":4,"clientToken":"t-1"}""")).StatusCode);
        var other = await house.NewAccount();
        Assert.Equal(HttpStatusCode.OK, (await other.Send("PUT", "/toys/once", """{"size":4,"clientToken":"t-1"}""")).StatusCode);
        house.Time.Advance(TimeSpan.FromHours(25));
        // The token is free again, and the toy, which is only added once, is still there.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await account.Send("PUT", "/toys/once", """{"size":4,"clientToken":"t-1"}""")).StatusCode);
    }

    [Fact]
    public async Task Too_many_calls_are_told_when_to_come_back_and_only_that_account()
    {
        await using var house = await Open(new() { Rates = new Dictionary<string, double> { ["toy:DescribeToy"] = 2 } });
        var (account, other) = (await house.NewAccount(), await house.NewAccount());
        for (var i = 0; i < 2; i++)
            Assert.Equal(HttpStatusCode.NotFound, (await account.Send("GET", "/toys/x")).StatusCode);
        var refused = await account.Send("GET", "/toys/x");
        Assert.Equal("ThrottlingException", refused.Headers.GetValues("x-amzn-ErrorType").Single());
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
        Assert.Equal(HttpStatusCode.NotFound, (await other.Send("GET", "/toys/x")).StatusCode);
        house.Time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(HttpStatusCode.NotFound, (await account.Send("GET", "/toys/x")).StatusCode);
    }

    [Fact]
    public async Task Tags_keep_their_rules_and_go_with_their_resource()
    {
        await using var storage = new TemporaryStorage();
        var tags = new TagStore(storage.Store);
        var account = new AccountId("123456789012");
        async Task Add(params (string, string)[] given)
        {
            var batch = new Batch();
            await tags.Add(batch, account, "toy:toy/x", given.Select(t => KeyValuePair.Create(t.Item1, t.Item2)), m => new("Invalid", 400, m), default);
            await storage.Store.Commit(batch, default);
        }
        await Add(("a", "1"), ("b", ""));
        await Add(("a", "2"));
        foreach (var bad in new[] { ("", "x"), (new string('k', 129), "x"), ("k", new string('v', 257)), ("aws:x", "x"), ("AWS:x", "x"), ("k{", "x"), ("k", "x;") })
            await Assert.ThrowsAsync<ServiceException>(() => Add(bad));
        await Assert.ThrowsAsync<ServiceException>(() => Add(("c", "1"), ("c", "2")));
        await Assert.ThrowsAsync<ServiceException>(() => Add([.. Enumerable.Range(0, 49).Select(i => ($"k{i}", "v"))]));
        Assert.Equal(["a=2", "b="], (await tags.Get(account, "toy:toy/x", default)).OrderBy(t => t.Key).Select(t => $"{t.Key}={t.Value}"));
        var remove = new Batch();
        await tags.Remove(remove, account, "toy:toy/x", ["a", "zzz"], default);
        await storage.Store.Commit(remove, default);
        Assert.Equal(["b"], (await tags.Get(account, "toy:toy/x", default)).Keys);
        await storage.Store.Commit(Forgotten(account), default);
        Assert.Empty(await tags.Get(account, "toy:toy/x", default));
    }

    static Batch Forgotten(AccountId account)
    {
        var batch = new Batch();
        TagStore.Forget(batch, account, "toy:toy/x");
        return batch;
    }

    [Fact]
    public void Arns_are_taken_apart_and_put_together()
    {
        Assert.True(Arn.TryParse("arn:aws:iot:eu-north-1:123456789012:rule/a:b/c", out var arn));
        Assert.Equal(("iot", "rule", "a:b/c"), (arn.Service, arn.ResourceType, arn.ResourceId));
        Assert.Equal("arn:aws:iot:eu-north-1:123456789012:rule/a:b/c", arn.ToString());
        foreach (var text in new[] { null, "", "arn", "arn:aws:iot:r:a", "arn:aws::r:a:x", "arn:aws:iot:r:a:", "urn:aws:iot:r:a:x" })
            Assert.False(Arn.TryParse(text, out _));
    }

    [Theory]
    [InlineData(@"[\p{Graph}\x20]*", "a b!", "é")]
    [InlineData(@"\p{ASCII}*", "abc", "é")]
    [InlineData(@"[\p{Upper}\p{Digit}_]+", "A_1", "a")]
    [InlineData(@"[^\p{Cntrl}]*", "a", "\u0001")]
    [InlineData(@"[^\p{C}]+", "é", "\u0001")]
    public void Patterns_of_the_models_mean_what_they_mean_in_java(string pattern, string good, string bad)
    {
        Assert.Matches(ModelPattern.Compile(pattern), good);
        Assert.DoesNotMatch(ModelPattern.Compile(pattern), bad);
    }
}

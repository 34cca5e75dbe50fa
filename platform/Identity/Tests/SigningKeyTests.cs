using Althing.Identity;
using Althing.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Identity;

/// <summary>Keys as the door asks for them, and the first start that makes one.</summary>
public sealed class SigningKeyTests : IAsyncLifetime
{
    static readonly AccountId Account = new("123456789012");

    readonly TemporaryStorage storage = new();
    readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    SigningKeys keys = null!;

    public ValueTask InitializeAsync()
    {
        keys = new(storage.Store, MasterKey.Open(storage.Folder), time);
        return ValueTask.CompletedTask;
    }

    FirstStart Start => new(storage.Store, keys, time);

    AccessKeys Keys => new(storage.Store, keys, time);

    async Task<KeyProblem> Problem(string id, string? token = null) => (await keys.Find(id, token, "r", default)).Problem;

    [Fact]
    public async Task A_key_carries_its_user_and_the_callers_region()
    {
        var (made, secret) = await Start.CreateAccount(Account, null, default);
        var (found, _) = await keys.Find(made.Id, null, "eu-north-1", default);
        Assert.Equal((secret, "eu-north-1", "arn:aws:iam::123456789012:user/admin"), (found!.SecretAccessKey, found.Caller.Region, found.Caller.Arn));
        Assert.Equal("admin", found.Caller.Context["aws:username"]);
        Assert.Equal("us-west-2", (await keys.Find(made.Id, null, "us-west-2", default)).Key!.Caller.Region);
        Assert.Equal(KeyProblem.Unknown, await Problem("AKIANOBODY"));
        Assert.Equal(KeyProblem.InvalidToken, await Problem(made.Id, "AAAA"));
        Assert.Equal(KeyProblem.InvalidToken, await Problem(made.Id, new string('A', 100_000)));
    }

    [Fact]
    public async Task Of_all_keys_only_so_many_are_kept_in_memory()
    {
        var cache = new KeyCache(100);
        for (var i = 0; i < 1000; i++)
        {
            cache.Keep(new(new($"AKIA{i}", new("s"), null, NewCaller()), null), cache.Generation);
            Assert.InRange(cache.Count, 1, 100);
            Assert.NotNull(cache.Find($"AKIA{i}"));
        }
        await Start.CreateAccount(Account, null, default);
        for (var i = 0; i < 50; i++)
            await Problem($"AKIAUNKNOWN{i}");
        Assert.Equal(0, keys.Cached);
    }

    static Caller NewCaller() => new() { Account = Account, Arn = "arn", UserId = "id", Kind = CallerKind.User, Region = "r" };

    [Fact]
    public void What_was_read_before_a_change_is_not_kept_after_it()
    {
        var cache = new KeyCache(100);
        var before = cache.Generation;
        cache.Clear();
        cache.Keep(new(new("AKIA1", new("s"), null, NewCaller()), null), before);
        Assert.Null(cache.Find("AKIA1"));
    }

    [Fact]
    public async Task A_session_survives_a_restart_but_not_another_master_key_or_its_time()
    {
        var (made, _) = await Start.CreateAccount(Account, null, default);
        var user = (await storage.Store.Get(User.Table, Account, "admin", default))!.Value.Value;
        var (session, expires) = keys.CreateSession(user, TimeSpan.FromMinutes(15));
        Assert.Equal(time.GetUtcNow().AddMinutes(15), expires);
        await storage.Reopen();
        keys = new(storage.Store, MasterKey.Open(storage.Folder), time);
        var (found, _) = await keys.Find(session.AccessKeyId, session.SessionToken, "r", default);
        Assert.Equal((session.SecretAccessKey, true), (found!.SecretAccessKey, found.Caller.IsTemporary));
        Assert.Equal(KeyProblem.InvalidToken, await Problem(made.Id, session.SessionToken));
        Assert.Equal(KeyProblem.Unknown, await Problem(session.AccessKeyId));
        time.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal(KeyProblem.ExpiredToken, await Problem(session.AccessKeyId, session.SessionToken));
        time.SetUtcNow(time.GetUtcNow().AddMinutes(1));
        File.Delete(Path.Combine(storage.Folder, "master.key"));
        keys = new(storage.Store, MasterKey.Open(storage.Folder), time);
        Assert.Equal(KeyProblem.InvalidToken, await Problem(session.AccessKeyId, session.SessionToken));
    }

    [Fact]
    public async Task A_preset_key_works_from_any_start_on_and_belongs_to_the_administrator_alone()
    {
        var preset = (Id: "AKIAPRESETPRESET", Secret: "preset-secret-of-ci");
        await Start.Run(storage.Folder, Account, null, default);
        await Start.Run(storage.Folder, null, preset, default);
        Assert.Equal(preset.Secret, (await keys.Find(preset.Id, null, "r", default)).Key!.SecretAccessKey.Value);
        Assert.Equal((preset.Id, new Secret(preset.Secret)), CredentialsFile.Read(storage.Folder));
        await Keys.Revoke(Account, preset.Id, default);
        Assert.Equal(KeyProblem.Unknown, await Problem(preset.Id));
        await Start.Run(storage.Folder, null, (preset.Id, "another-secret"), default);
        Assert.Equal("another-secret", (await keys.Find(preset.Id, null, "r", default)).Key!.SecretAccessKey.Value);
        var (bobs, _) = await Keys.Create(Account, "bob", null, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Start.Run(storage.Folder, null, (bobs.Id, "x"), default));
    }

    [Fact]
    public async Task A_lost_credentials_file_is_written_again()
    {
        await Start.Run(storage.Folder, Account, null, default);
        var before = CredentialsFile.Read(storage.Folder);
        File.Delete(CredentialsFile.PathIn(storage.Folder));
        await Start.Run(storage.Folder, null, null, default);
        Assert.Equal(before, CredentialsFile.Read(storage.Folder));
    }

    [Fact]
    public async Task A_name_that_differs_only_in_case_or_a_missing_account_is_refused()
    {
        await Start.CreateAccount(Account, null, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Keys.Create(Account, "Admin", null, default));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Keys.Create(new("999999999999"), "bob", null, default));
        await Assert.ThrowsAsync<PolicyFormatException>(() => Keys.Create(Account, "bob", "[]", default));
        Assert.Null(await Keys.Revoke(new("999999999999"), (await Keys.List(Account, default)).Single().Id, default));
    }

    public ValueTask DisposeAsync() => storage.DisposeAsync();
}

using Althing.Iam.Administration;
using Althing.Identity;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Tests.Iam;

/// <summary>Keys and accounts as the command line makes them, on a store and through a running platform.</summary>
public sealed class AdministrationTests(IamHouse house) : IClassFixture<IamHouse>
{
    static readonly string ListUsers = IamClient.Policy("iam:ListUsers");

    /// <summary>Both ways of administration, of an account of their own.</summary>
    async Task<(IamClient Admin, IAdministration Way)> Open(bool online)
    {
        var admin = await house.NewAdministrator();
        return (admin, online
            ? new OnlineAdministration(house.Http, house.Address, admin.KeyId, admin.Secret, house.Time)
            : new OfflineAdministration(house.Services.GetRequiredService<IStore>(), MasterKey.Open(house.Folder), house.Time, new AccountId(admin.Account)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_is_made_listed_and_revoked(bool online)
    {
        var (admin, way) = await Open(online);
        var made = await way.CreateKey("builder", ListUsers, default);
        var builder = admin with { KeyId = made.AccessKeyId, Secret = made.SecretAccessKey };
        Assert.Equal(["admin", "builder"], IamClient.Texts(await builder.Call("ListUsers"), "UserName"));
        await builder.Refused("AccessDenied", "ListRoles");
        var second = await way.CreateKey("builder", IamClient.Policy("iam:ListRoles"), default);
        if (online)
        {
            await builder.Call("ListRoles");
            await builder.Refused("AccessDenied", "ListUsers");
        }

        var keys = await way.ListKeys(default);
        Assert.Equal(["admin", "builder", "builder"], keys.Select(k => k.UserName));
        Assert.All(keys, k => Assert.True(k.Active));
        await Assert.ThrowsAsync<AdministrationException>(() => way.CreateKey("builder", null, default));
        Assert.Equal("builder", (await way.RevokeKey(second.AccessKeyId, default)).UserName);
        Assert.Equal(2, (await way.ListKeys(default)).Count);
        await Assert.ThrowsAsync<AdministrationException>(() => way.RevokeKey(second.AccessKeyId, default));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_wrong_is_said_before_anything_is_made(bool online)
    {
        var (_, way) = await Open(online);
        await Assert.ThrowsAsync<AdministrationException>(() => way.CreateKey("bob", "{}", default));
        await Assert.ThrowsAsync<AdministrationException>(() => way.CreateKey("not a name", null, default));
        await Assert.ThrowsAsync<AdministrationException>(() => way.RevokeKey("AKIANOBODYHASTHIS", default));
        Assert.Single(await way.ListKeys(default));
    }

    [Fact]
    public async Task A_key_revoked_through_a_running_platform_stops_at_once()
    {
        var (admin, way) = await Open(online: true);
        var made = await way.CreateKey("builder", ListUsers, default);
        var builder = admin with { KeyId = made.AccessKeyId, Secret = made.SecretAccessKey };
        await builder.Call("ListUsers");
        await way.RevokeKey(made.AccessKeyId, default);
        await builder.Refused("InvalidClientTokenId", "ListUsers");
    }

    [Fact]
    public async Task Accounts_are_made_by_the_first_ones_administrators_only()
    {
        await using var own = new IamHouse();
        await own.InitializeAsync();
        var offline = new OfflineAdministration(own.Services.GetRequiredService<IStore>(), MasterKey.Open(own.Folder), own.Time);
        Assert.Contains("Start the platform once", (await Assert.ThrowsAsync<AdministrationException>(() => offline.ListKeys(default))).Message);
        var first = await own.NewAdministrator();
        own.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await own.NewAdministrator();
        OnlineAdministration Of(IamClient admin) => new(own.Http, own.Address, admin.KeyId, admin.Secret, own.Time);

        var made = await Of(first).CreateAccount(new("123456789012"), default);
        var third = first with { Account = "123456789012", KeyId = made.AccessKeyId, Secret = made.SecretAccessKey };
        Assert.Equal("123456789012", IamClient.Text(await third.Call("GetCallerIdentity"), "Account"));
        Assert.Equal(["admin"], IamClient.Texts(await third.Call("ListUsers"), "UserName"));
        Assert.Equal(new[] { first.Account, second.Account, "123456789012" }.Order(), (await Of(first).ListAccounts(default)).Select(a => a.Value));
        foreach (var refused in new Func<Task>[] {
            () => Of(second).CreateAccount(new("123456789013"), default), () => Of(third).ListAccounts(default), () => Of(first).CreateAccount(new("123456789012"), default),
            () => offline.CreateAccount(new("123456789012"), default) })
            await Assert.ThrowsAsync<AdministrationException>(refused);
        await offline.CreateAccount(new("123456789014"), default);
        Assert.Equal(4, (await offline.ListAccounts(default)).Count);
    }

    [Fact]
    public async Task What_is_no_platform_is_said_to_be_none()
    {
        var way = new OnlineAdministration(house.Http, new Uri("http://127.0.0.1:9"), "AKIAX", new("x"), house.Time);
        Assert.Contains("did not answer", (await Assert.ThrowsAsync<AdministrationException>(() => way.ListKeys(default))).Message);
    }
}

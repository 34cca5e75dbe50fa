using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Althing.Core.Events;
using Althing.Storage;
using Althing.Tests.Broker;

namespace Althing.Tests.Clients;

/// <summary>Registry events survive kills: whoever was told that a change is made, and subscribed, hears of it.</summary>
public sealed class RegistryEventCrashTests
{
    const int Kills = 5;
    static readonly AccountId Account = new("000000000000");

    [Fact]
    public async Task What_a_kill_left_unpublished_is_published_after_the_start_in_order_and_once()
    {
        await using var house = await Listened();
        await house.Kill();
        // As a process leaves them that dies between the commit and the publication.
        await using (var storage = PlatformStorage.Open(new() { Folder = house.Data }))
        {
            var batch = new Batch();
            foreach (var number in (int[])[2, 1, 3])
                batch.Add(OwedEvent.Table, new OwedEvent(Account, $"000000000000000000{number}-test", "$aws/events/thing/left/updated", Encoding.UTF8.GetBytes($"{number}"), DateTimeOffset.UnixEpoch));
            await storage.Store.Commit(batch, TestContext.Current.CancellationToken);
        }
        await house.Start();
        await using (var client = await Connect(house))
        {
            foreach (var expected in (string[])["1", "2", "3"])
            {
                var got = await client.Message();
                Assert.Equal(("$aws/events/thing/left/updated", expected), (got.Topic, got.Payload));
                await client.Acknowledge(got.PacketId);
            }
            Assert.Equal(200, (await house.Call(HttpMethod.Post, "/things/next", new { })).Status);
            Assert.Equal("$aws/events/thing/next/created", (await client.Message()).Topic);
        }
        await house.Stop();
        await using var after = PlatformStorage.Open(new() { Folder = house.Data });
        Assert.Empty(await after.Store.Scan(OwedEvent.Table, Account, Scan.All, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Every_change_that_was_acknowledged_is_told_in_order_however_often_the_platform_is_killed()
    {
        await using var house = await Listened();
        string[] names = ["a", "b", "c", "d"];
        foreach (var name in names)
            Assert.Equal(200, (await house.Call(HttpMethod.Post, "/things/" + name, new { })).Status);
        var acknowledged = new ConcurrentDictionary<string, int>();
        var random = new Random(7);
        for (var kill = 0; kill < Kills; kill++)
        {
            var done = new SemaphoreSlim(0);
            var changing = names.Select(name => Change(house, name, acknowledged, done)).ToList();
            for (var count = random.Next(10, 60); count > 0; count--)
                await done.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            await house.Kill();
            await Task.WhenAll(changing);
            await house.Start();
        }
        Assert.Equal(Kills, house.Kills);
        await using var client = await Connect(house);
        Dictionary<string, int> told = names.ToDictionary(n => n, _ => 1);
        while (names.Any(n => told[n] < acknowledged[n]))
        {
            var got = await client.Message();
            await client.Acknowledge(got.PacketId);
            var payload = JsonNode.Parse(got.Payload)!;
            var (name, version) = ((string)payload["thingName"]!, (int)payload["versionNumber"]!);
            // One that is told again is of before; none is left out.
            Assert.True(version <= told[name] + 1, $"The event of version {told[name] + 1} of '{name}' did not come before that of {version}.");
            told[name] = Math.Max(told[name], version);
        }
    }

    /// <summary>Changes a thing until the platform is gone; each success raises its version by one.</summary>
    static async Task Change(House house, string name, ConcurrentDictionary<string, int> acknowledged, SemaphoreSlim done)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                var (status, _) = await house.Call(HttpMethod.Patch, "/things/" + name, new { attributePayload = new { attributes = new { i = $"{i}" } } });
                if (status != 200)
                    return;
                var (_, described) = await house.Call(HttpMethod.Get, "/things/" + name);
                acknowledged[name] = (int)described["version"]!;
                done.Release();
            }
        }
        catch (Exception gone) when (gone is HttpRequestException or IOException or System.Text.Json.JsonException)
        {
            // The platform was killed.
        }
    }

    /// <summary>A platform whose events of things somebody subscribed to, who is away.</summary>
    static async Task<House> Listened()
    {
        var house = await House.Up("--mqtt", "0", "--anonymous");
        var enabled = new { eventConfigurations = new { THING = new { Enabled = true } } };
        Assert.Equal(200, (await house.Call(HttpMethod.Patch, "/event-configurations", enabled)).Status);
        await using var client = await Connect(house);
        await client.Subscribe("$aws/events/thing/#", 1);
        await client.Disconnect();
        await client.Closed();
        return house;
    }

    static Task<TestClient> Connect(House house) => TestClient.Connect(house.MqttPort!.Value, "listener", c =>
        (c.Account, c.Password, c.CleanStart, c.KeepAlive) = (null, null, false, 600));
}

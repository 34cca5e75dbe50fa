using Althing.Broker;
using Althing.Mqtt;
using Althing.Tests.Broker.Conformance;
using Althing.Tests.Storage;

namespace Althing.Tests.Broker;

/// <summary>Disks that are full or slow under a flood.</summary>
public class FullDiskTests
{
    static void Persistent(TestConnect connect) => connect.CleanStart = false;

    [Fact]
    public async Task With_a_full_disk_nothing_is_acknowledged_that_is_not_kept_and_the_broker_stays()
    {
        using var disk = SmallDisk.Mount(megabytes: 8);
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[3_000_000], TestContext.Current.CancellationToken);
        await using (var house = await BrokerHouse.Start(new() { QueuedMemoryBytesMax = 10_000 }, Path.Combine(disk.Folder, "data")))
        {
            await using (var away = await house.Connect("away", Persistent))
                await away.Subscribe("t", 1);
            var payload = new string('x', 20_000);
            List<string> acknowledged = [];
            await using (var flood = await house.Connect("flood", c => c.Version = MqttVersion.V5))
            {
                await using var served = await house.Connect("served");
                await served.Subscribe("other");
                await Assert.ThrowsAnyAsync<Exception>(async () =>
                {
                    for (; ; )
                    {
                        var text = $"{acknowledged.Count} {payload}";
                        Assert.Equal(ReasonCode.Success, await flood.PublishSurely("t", text));
                        acknowledged.Add(text);
                    }
                });
                Assert.InRange(acknowledged.Count, 20, 400);
                await using var pub = await house.Connect("pub");
                await pub.Publish("other", "still here");
                Assert.Equal("still here", await served.Payload());
            }
            File.Delete(ballast);
            await using (var pub = await house.Connect("pub"))
                await pub.PublishSurely("t", "room again");
            acknowledged.Add("room again");
            await house.Crash();
            await using var back = await house.Connect("away", Persistent);
            foreach (var expected in acknowledged)
            {
                var got = await back.Message();
                // What was sent and not acknowledged may come, and comes in its place.
                Assert.Equal(expected, got.Payload);
                await back.Acknowledge(got.PacketId);
            }
        }
    }

    [Fact]
    public async Task A_flood_to_a_slow_disk_waits_in_the_publishers_sockets()
    {
        SlowJournal slow = null!;
        await using var house = await BrokerHouse.Start(new() { QueuedMemoryBytesMax = 10_000 });
        await using (var away = await house.Connect("away", Persistent))
            await away.Subscribe("t", 1);
        await house.Crash(journal => slow = new(journal));
        slow.LetReplay();
        await house.Broker.Recovery;
        slow.Hold();
        const int Publishers = 20, Each = 1000;
        var payload = new string('x', 2000);
        List<TestClient> floods = [];
        for (var i = 0; i < Publishers; i++)
            floods.Add(await house.Connect("flood" + i, c => c.KeepAlive = 1200));
        var published = Task.WhenAll(floods.Select(f => f.PublishMany("t", Each, _ => payload)));
        await Eventually.True(() => slow.HeldBytes > 0);
        await using (var other = await house.Connect("other"))
            await other.Ping();
        // 40 MB want to come in; each connection is read no further than what it has to wait for.
        Assert.InRange(slow.HeldBytes, 1, 30 << 20);
        slow.LetGo();
        await published;
        foreach (var flood in floods)
            await flood.DisposeAsync();
        Assert.Equal(Publishers * Each, house.Broker.SessionsOf(new("111111111111")).Single(s => s.ClientId == "away").Queued);
    }
}

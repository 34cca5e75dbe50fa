using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Tests.Broker.Conformance;

namespace Althing.Tests.Broker;

/// <summary>Many at once. Others notice nothing, and the broker's memory is bounded.</summary>
public class OverloadTests
{
    const int Many = 1000;

    [Fact]
    public async Task Connections_that_never_say_who_they_are_go_after_their_time_and_others_come_in_meanwhile()
    {
        await using var house = await BrokerHouse.Start();
        List<TestClient> halfOpen = [];
        for (var i = 0; i < Many; i++)
        {
            halfOpen.Add(await TestClient.Open(house.Port));
            if (i % 2 == 0)
                await halfOpen[i].Raw(new byte[] { 0x10, 0xFF });
        }
        await Eventually.True(() => house.Broker.ConnectionCount == Many);
        await using var client = await house.Connect("client", c => c.KeepAlive = 1200);
        house.Time.Advance(TimeSpan.FromSeconds(12));
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        await client.Ping();
        foreach (var one in halfOpen)
            await one.DisposeAsync();
    }

    [Fact]
    public async Task A_hot_topic_reaches_all_who_read_and_what_others_leave_unread_is_bounded_and_counted()
    {
        await using var house = await BrokerHouse.Start(new() { OutputBytesMax = 20_000 });
        List<TestClient> readers = [];
        for (var i = 0; i < Many; i++)
        {
            readers.Add(await house.Connect("reader" + i, c => c.KeepAlive = 1200));
            await readers[i].Subscribe("hot");
        }
        List<TestClient> deaf = [];
        for (var i = 0; i < 5; i++)
        {
            deaf.Add(await house.Connect("deaf" + i, c => c.KeepAlive = 1200));
            await deaf[i].Subscribe("+");
            await deaf[i].Subscribe("hot");
        }
        await using var pub = await house.Connect("pub", c => c.KeepAlive = 1200);
        for (var i = 0; i < 5; i++)
        {
            await pub.Publish("hot", $"{i}");
            await pub.Ping();
        }
        foreach (var reader in readers)
        {
            for (var i = 0; i < 5; i++)
                Assert.Equal($"{i}", await reader.Payload());
        }
        // The kernel holds some megabytes for those who do not read; what is beyond is dropped.
        var payload = new string('x', 100_000);
        var account = new Althing.Storage.AccountId("111111111111");
        for (var i = 0; i < 2000 && !AllDropped(); i++)
        {
            await pub.Publish("cold", payload);
            await pub.Ping();
        }
        Assert.True(AllDropped());
        Assert.All(house.Broker.Connections(account), c => Assert.InRange(c.UnsentBytes, 0, 300_000));
        foreach (var one in readers.Concat(deaf))
            await one.DisposeAsync();

        bool AllDropped() => house.Broker.Connections(account).Where(c => c.ClientId.StartsWith("deaf", StringComparison.Ordinal)).All(c => c.Dropped > 0);
    }

    [Fact]
    public async Task Thousands_of_filters_with_leading_wildcards_are_matched_at_once()
    {
        await using var house = await BrokerHouse.Start(new() { FiltersPerSubscribeMax = 100, SubscriptionsMax = 100 });
        List<TestClient> clients = [];
        for (var i = 0; i < 100; i++)
        {
            clients.Add(await house.Connect("wide" + i, c => c.KeepAlive = 1200));
            await clients[i].Subscribe([.. Enumerable.Range(0, 100).Select(n => new SubscribeEntry(n == 0 ? "#" : $"+/+/x{n}/{i}", 1))]);
        }
        await using var pub = await house.Connect("pub", c => c.KeepAlive = 1200);
        for (var i = 0; i < 50; i++)
            await pub.PublishSurely($"a/{i}/x{1 + i}/{i}", $"{i}");
        foreach (var client in clients)
        {
            for (var i = 0; i < 50; i++)
                Assert.Equal($"{i}", await client.Payload());
            await client.DisposeAsync();
        }
    }
}

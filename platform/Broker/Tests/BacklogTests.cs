using System.Diagnostics;
using System.Text;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Tests.Broker.Conformance;

namespace Althing.Tests.Broker;

/// <summary>More waits for clients than stays in memory, and more than there is room for.</summary>
public class BacklogTests
{
    static readonly string Wide = new('x', 900);

    static void Persistent(TestConnect connect) => connect.CleanStart = false;

    [Fact]
    public async Task What_waits_beyond_the_memory_comes_from_the_log_in_order_and_fast()
    {
        await using var house = await BrokerHouse.Start(new() { QueuedMemoryBytesMax = 20_000, ReceiveMaximum = 60_000 });
        await using (var away = await house.Connect("away", Persistent))
            await away.Subscribe("t/#", 1);
        const int Count = 30_000;
        await using (var pub = await house.Connect("pub", c => c.KeepAlive = 1200))
            await pub.PublishMany("t/1", Count, i => $"{i} {Wide}");
        await using var back = await house.Connect("away", Persistent);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Count; i++)
        {
            var got = await back.Message();
            Assert.Equal($"{i} ", got.Payload[..(got.Payload.IndexOf(' ', StringComparison.Ordinal) + 1)]);
            await back.Acknowledge(got.PacketId);
        }
        TestContext.Current.SendDiagnosticMessage($"{Count / clock.Elapsed.TotalSeconds:0} messages a second from the log, acknowledged one by one");
        await back.Nothing();
    }

    [Fact]
    public async Task What_waits_survives_a_crash_and_comes_before_what_was_published_since()
    {
        await using var house = await BrokerHouse.Start(new() { QueuedMemoryBytesMax = 5_000 });
        await using (var away = await house.Connect("away", Persistent))
            await away.Subscribe("t", 2);
        await using (var pub = await house.Connect("pub"))
            await pub.PublishMany("t", 500, i => $"{i}");
        await house.Crash();
        await using (var pub = await house.Connect("pub"))
            await pub.PublishMany("t", 500, i => $"{500 + i}");
        await house.Crash();
        await using var back = await house.Connect("away", Persistent);
        for (var i = 0; i < 1000; i++)
        {
            var got = await back.Message();
            Assert.Equal($"{i}", got.Payload);
            await back.Acknowledge(got.PacketId);
        }
        await back.Nothing();
    }

    [Fact]
    public async Task Messages_of_shared_subscriptions_that_are_in_the_log_alone_go_to_others_when_their_member_ends()
    {
        await using var house = await BrokerHouse.Start(new() { QueuedMemoryBytesMax = 1_000 });
        await using (var one = await house.Connect("one", Persistent))
            await one.Subscribe("$share/g/t", 1);
        await using (var pub = await house.Connect("pub"))
            await pub.PublishMany("t", 200, i => $"{i}");
        await using var two = await house.Connect("two", Persistent);
        await two.Subscribe("$share/g/t", 1);
        await using (var fresh = await house.Connect("one"))
            await fresh.Ping();
        HashSet<string> got = [];
        while (got.Count < 200)
        {
            var message = await two.Message();
            got.Add(message.Payload);
            await two.Acknowledge(message.PacketId);
        }
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}").Order(), got.Order());
    }

    [Theory, InlineData(1), InlineData(2)]
    public async Task An_account_that_is_full_refuses_the_newest_and_tells_who_can_hear_it_when_nobody_keeps_the_message(int qos)
    {
        await using var house = await BrokerHouse.Start(new() { AccountQueuedBytesMax = 10_000 });
        await using (var away = await house.Connect("away", Persistent))
            await away.Subscribe("t", qos);
        await using var pub = await house.Connect("pub", c => c.Version = MqttVersion.V5);
        var kept = 0;
        while (await Published(pub, "t", $"{kept}", qos) == ReasonCode.Success)
            kept++;
        Assert.InRange(kept, 10, 60);
        Assert.Equal(ReasonCode.QuotaExceeded, await Published(pub, "t", "no", qos));
        // Another session that can keep it makes it a success; this one is of a subscriber who is there.
        await using (var online = await house.Connect("online", Persistent))
        {
            await online.Subscribe("t", 1);
            Assert.Equal(ReasonCode.Success, await Published(pub, "t", "online", qos));
            var message = await online.Message();
            Assert.Equal("online", message.Payload);
            await online.Acknowledge(message.PacketId);
            await online.Unsubscribe("t");
        }
        await using var back = await house.Connect("away", c => (c.CleanStart, c.Version, c.Properties) = (false, MqttVersion.V5, new() { SessionExpirySeconds = 3600 }));
        for (var i = 0; i < kept; i++)
        {
            var message = await back.Message();
            Assert.Equal($"{i}", message.Payload);
            if (qos == 1)
                await back.Acknowledge(message.PacketId);
            else
                await Finish(back, message.PacketId);
        }
        await back.Ping();
        Assert.Equal(ReasonCode.Success, await Published(pub, "t", "again", qos));
        Assert.Equal("again", (await back.Message()).Payload);
        Assert.Equal(3, house.Broker.Connections(new("111111111111")).Single(c => c.ClientId == "away").Dropped);
    }

    static async Task Finish(TestClient client, ushort id)
    {
        await client.SendAck(PacketType.PubRec, id);
        await client.ExpectAck(PacketType.PubRel, id);
        await client.SendAck(PacketType.PubComp, id);
    }

    static async Task<ReasonCode> Published(TestClient pub, string topic, string payload, int qos)
    {
        if (qos == 1)
            return await pub.PublishSurely(topic, payload);
        await pub.Publish(topic, payload, 2, id: 7);
        var received = AcknowledgePacket.Read(await pub.Expect(PacketType.PubRec), MqttVersion.V5);
        if (received.Reason >= ReasonCode.UnspecifiedError)
            return received.Reason;
        await pub.SendAck(PacketType.PubRel, 7);
        await pub.ExpectAck(PacketType.PubComp, 7);
        return ReasonCode.Success;
    }
}

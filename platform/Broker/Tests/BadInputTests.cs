using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Tests.Broker.Conformance;
using Althing.Tests.Mqtt;

namespace Althing.Tests.Broker;

/// <summary>What strangers and broken clients do. They get their answer; others notice nothing.</summary>
public class BadInputTests
{
    [Theory, InlineData(11), InlineData(12), InlineData(13)]
    public async Task Damaged_packets_disturb_nobody_and_are_no_error_of_the_broker(int seed)
    {
        await using var house = await BrokerHouse.Start(new() { RetainedOnWildcards = true });
        await using var sub = await house.Connect("sub", c => (c.Account, c.KeepAlive) = ("222222222222", 1200));
        await using var pub = await house.Connect("pub", c => (c.Account, c.KeepAlive) = ("222222222222", 1200));
        await sub.Subscribe("#", 2);
        var packets = new RandomPackets(seed);
        for (var i = 0; i < 120; i++)
        {
            var version = i % 2 == 0 ? MqttVersion.V5 : MqttVersion.V311;
            await using var stranger = await TestClient.Open(house.Port, version);
            try
            {
                await stranger.Send(b => packets.Connect(version, "fuzz-" + (i % 7)).Write(b));
                for (var sent = 0; sent < 12; sent++)
                    await stranger.Raw(sent % 3 == 2 ? packets.Damaged(packets.Valid(version)) : packets.Valid(version));
                stranger.HangUp();
                await stranger.Closed();
            }
            catch (Exception failure) when (failure is IOException or MalformedPacketException)
            {
                // Closed while we wrote, or the bytes made us misread the answers.
            }
            if (i % 20 == 0)
            {
                await pub.PublishOnce("t", "still here");
                Assert.Equal("still here", (await sub.MessageOnce()).Payload);
            }
        }
        await sub.Nothing();
        await Eventually.True(() => house.Broker.ConnectionCount == 2);
        Assert.Empty(house.Errors);
    }

    [Fact]
    public async Task A_byte_a_second_is_no_connect()
    {
        await using var house = await BrokerHouse.Start();
        await using var slow = await TestClient.Open(house.Port);
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        foreach (var part in Bytes.Connect(MqttVersion.V311, 2, b => b.String("slow")).Take(12))
        {
            await slow.Raw(new[] { part });
            house.Time.Advance(TimeSpan.FromSeconds(1));
        }
        await slow.Closed();
        await Eventually.True(() => house.Broker.ConnectionCount == 0);
    }

    [Theory, InlineData(MqttVersion.V311), InlineData(MqttVersion.V5)]
    public async Task Ten_thousand_filters_in_one_packet_are_answered_one_by_one(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var client = await house.Connect("many", c => c.Version = version);
        var reasons = await client.Subscribe([.. Enumerable.Range(0, 10_000).Select(i => new SubscribeEntry("f/" + i, 0))]);
        Assert.Equal(10_000, reasons.Count);
        Assert.Equal(8, reasons.Count(r => r == ReasonCode.Success));
        Assert.Equal(8, house.Broker.SubscriptionsOf(new("111111111111"), "many")!.Count);
    }

    [Fact]
    public async Task As_many_messages_in_flight_as_there_are_identifiers_are_kept_apart()
    {
        await using var house = await BrokerHouse.Start();
        await using var client = await house.Connect("full", c => c.KeepAlive = 1200);
        for (var first = 1; first <= ushort.MaxValue; first += 5000)
        {
            var last = Math.Min(first + 4999, ushort.MaxValue);
            await client.Send(b =>
            {
                for (var id = first; id <= last; id++)
                    PublishPacket.Write(b, MqttVersion.V311, "t", [], 2, false, false, (ushort)id, null);
            });
            for (var id = first; id <= last; id++)
                await client.ExpectAck(PacketType.PubRec, (ushort)id);
        }
        await client.SendAck(PacketType.PubRel, 40_000);
        await client.ExpectAck(PacketType.PubComp, 40_000);
        await client.Ping();
    }

    [Fact]
    public async Task A_will_on_a_forbidden_or_reserved_topic_is_refused_with_its_code()
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Publish, "forbidden");
        foreach (var (topic, code) in new[] { ("forbidden", 0x87), ("$aws/events/x", 0x90), ("$SYS/x", 0x90), ("a/b/c/d/e/f/g/h/i/j", 0x90) })
        {
            await using var client = await house.Connect("x", c => (c.Version, c.MayFail, c.Will) = (MqttVersion.V5, true, new(topic, [], 0, false, null)));
            Assert.Equal(code, client.Answer.Code);
            await client.Closed();
        }
        Assert.Empty(house.Broker.Connections(new("111111111111")));
    }
}

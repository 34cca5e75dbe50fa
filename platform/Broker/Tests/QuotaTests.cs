using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Broker;

/// <summary>Bounds on what one session or one client may have and do.</summary>
public class QuotaTests
{
    static void Persistent(TestConnect c) => c.CleanStart = false;

    static async Task Away(BrokerHouse house, string filter = "t")
    {
        await using var sub = await house.Connect("sub", Persistent);
        await sub.Subscribe(filter, 2);
        await sub.Disconnect();
        await sub.Closed();
    }

    [Theory, InlineData(1), InlineData(2)]
    public async Task A_full_queue_keeps_its_oldest_messages_over_a_crash(int qos)
    {
        await using var house = await BrokerHouse.Start(new() { QueuedMessagesMax = 3 });
        await Away(house);
        await using (var pub = await house.Connect("pub"))
        {
            for (ushort i = 1; i <= 5; i++)
            {
                if (qos == 1)
                    await pub.PublishSurely("t", i.ToString(), id: i);
                else
                    await pub.PublishOnce("t", i.ToString(), id: i);
            }
        }
        await house.Crash();
        await using var back = await house.Connect("sub", Persistent);
        for (var i = 1; i <= 3; i++)
            Assert.Equal(i.ToString(), (qos == 1 ? await back.Message() : await back.MessageOnce()).Payload);
        await back.Nothing();
    }

    [Fact]
    public async Task A_queue_is_bounded_in_bytes_too()
    {
        await using var house = await BrokerHouse.Start(new() { QueuedBytesMax = 50_000 });
        await Away(house);
        await using var pub = await house.Connect("pub");
        for (ushort i = 1; i <= 10; i++)
            await pub.PublishSurely("t", new string('x', 20_000), id: i);
        await using var back = await house.Connect("sub", Persistent);
        for (var i = 0; i < 3; i++)
            await back.Message();
        await back.Nothing();
    }

    [Fact]
    public async Task No_more_than_so_many_messages_are_in_flight_to_a_client()
    {
        await using var house = await BrokerHouse.Start(new() { InflightMax = 2 });
        await using var sub = await house.Connect("sub");
        await using var pub = await house.Connect("pub");
        await sub.Subscribe("t", 1);
        for (ushort i = 1; i <= 3; i++)
            await pub.PublishSurely("t", "x", id: i);
        var first = await sub.Message();
        await sub.Message();
        await sub.Nothing();
        await sub.Acknowledge(first.PacketId);
        await sub.Message();
    }

    [Fact]
    public async Task A_session_has_so_many_subscriptions()
    {
        await using var house = await BrokerHouse.Start(new() { SubscriptionsMax = 2 });
        await using var client = await house.Connect("x", c => c.Version = MqttVersion.V5);
        Assert.Equal([ReasonCode.Success, ReasonCode.Success, ReasonCode.QuotaExceeded],
            await client.Subscribe(new SubscribeEntry("a", 0), new SubscribeEntry("b", 0), new SubscribeEntry("c", 0)));
        Assert.Equal([ReasonCode.GrantedQoS1], await client.Subscribe("a", 1));
    }

    [Theory]
    [InlineData(10, 0)]
    [InlineData(0, 500)]
    public async Task A_client_that_publishes_too_fast_is_read_from_slowly_and_loses_nothing(int messages, int bytes)
    {
        await using var house = await BrokerHouse.Start(new() { PublishesPerSecondMax = messages, BytesPerSecondMax = bytes });
        await using var sub = await house.Connect("sub", c => c.KeepAlive = 1200);
        await using var pub = await house.Connect("pub", c => c.KeepAlive = 1);
        await sub.Subscribe("t");
        await pub.Send(b =>
        {
            for (var i = 0; i < 40; i++)
                PublishPacket.Write(b, MqttVersion.V311, "t", new byte[45], 0, false, false, 0, null);
        });
        for (var i = 0; i < 40; i++)
            await sub.Message();
        var pong = pub.Ping();
        var tenths = 0;
        for (; !pong.IsCompleted; tenths++)
        {
            house.Time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(5);
        }
        await pong;
        // Forty messages of fifty bytes: what is beyond one second's worth takes three.
        Assert.True(tenths >= 28, $"It took {tenths} tenths of a second.");
    }
}

using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Broker;

/// <summary>Messages from publisher to subscriber.</summary>
public class DeliveryTests
{
    public static TheoryData<MqttVersion, MqttVersion> Versions => new(
        from a in new[] { MqttVersion.V311, MqttVersion.V5 } from b in new[] { MqttVersion.V311, MqttVersion.V5 } select (a, b));

    [Theory, MemberData(nameof(Versions))]
    public async Task A_message_reaches_its_subscriber_whatever_versions_both_speak(MqttVersion from, MqttVersion to)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = to);
        await using var pub = await house.Connect("pub", c => c.Version = from);
        await sub.Subscribe("a/+/c", 1);
        await pub.Publish("a/b/c", "zero");
        await pub.PublishSurely("a/b/c", "one");
        Assert.Equal(("a/b/c", "zero", 0), await sub.Message() is var zero ? (zero.Topic, zero.Payload, zero.QoS) : default);
        Assert.Equal(("a/b/c", "one", 1), await sub.Message() is var one ? (one.Topic, one.Payload, one.QoS) : default);
    }

    [Fact]
    public async Task The_properties_of_mqtt_5_travel_with_the_message()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = MqttVersion.V5);
        await using var old = await house.Connect("old");
        await using var pub = await house.Connect("pub", c => c.Version = MqttVersion.V5);
        await sub.Subscribe("t");
        await old.Subscribe("t");
        await pub.Publish("t", "x", properties: new()
        {
            ContentType = "text/plain", ResponseTopic = "back", CorrelationData = [1, 2], PayloadIsUtf8 = true, UserProperties = [new("k", "v"), new("k", "w")],
            MessageExpirySeconds = 30,
        });
        var got = (await sub.Message()).Properties!;
        Assert.Equal(("text/plain", "back", true), (got.ContentType, got.ResponseTopic, got.PayloadIsUtf8));
        Assert.Equal(new byte[] { 1, 2 }, got.CorrelationData);
        Assert.Equal([new("k", "v"), new("k", "w")], got.UserProperties!);
        Assert.Equal(30u, got.MessageExpirySeconds);
        Assert.Equal("x", await old.Payload());
    }

    [Fact]
    public async Task Topic_aliases_stand_for_their_topics()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await using var pub = await house.Connect("pub", c => c.Version = MqttVersion.V5);
        await sub.Subscribe("long/topic");
        await pub.Publish("long/topic", "1", properties: new() { TopicAlias = 3 });
        await pub.Publish("", "2", properties: new() { TopicAlias = 3 });
        Assert.Equal("1", await sub.Payload());
        Assert.Equal(("long/topic", "2"), await sub.Message() is var second ? (second.Topic, second.Payload) : default);
        await pub.Publish("", "3", properties: new() { TopicAlias = 4 });
        Assert.Equal(ReasonCode.ProtocolError, await pub.Closed());
    }

    [Fact]
    [Conformance.Normative(MqttVersion.V311, "4.6.0-2")]
    public async Task Many_packets_in_one_write_and_one_packet_in_many_writes_are_the_same()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await using var pub = await house.Connect("pub");
        await sub.Subscribe("t", 1);
        await pub.Send(b =>
        {
            for (ushort i = 1; i <= 500; i++)
                PublishPacket.Write(b, MqttVersion.V311, "t", [(byte)('a' + (i % 26))], 1, false, false, i, null);
        });
        for (ushort i = 1; i <= 500; i++)
        {
            Assert.Equal(i, AcknowledgePacket.Read(await pub.Expect(PacketType.PubAck), MqttVersion.V311).PacketId);
            var got = await sub.Message();
            Assert.Equal(((char)('a' + (i % 26))).ToString(), got.Payload);
            await sub.Acknowledge(got.PacketId);
        }
        using var packet = new PacketBuffer();
        PublishPacket.Write(packet, MqttVersion.V311, "t", "slow"u8, 0, false, false, 0, null);
        for (var i = 0; i < packet.Length; i++)
            await pub.Raw(packet.Written.Slice(i, 1));
        Assert.Equal("slow", await sub.Payload());
    }

    [Fact]
    public async Task No_local_keeps_a_clients_messages_from_itself()
    {
        await using var house = await BrokerHouse.Start();
        await using var one = await house.Connect("one", c => c.Version = MqttVersion.V5);
        await one.Subscribe(new SubscribeEntry("t", 0, NoLocal: true));
        await one.Publish("t", "own");
        await one.Nothing();
    }

    [Fact]
    public async Task Overlapping_subscriptions_bring_a_message_once_with_the_greatest_qos()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await using var pub = await house.Connect("pub");
        await sub.Subscribe(new SubscribeEntry("t/#", 0), new SubscribeEntry("t/1", 1));
        await pub.PublishSurely("t/1", "x");
        Assert.Equal(1, (await sub.Message()).QoS);
        await sub.Nothing();
    }

    [Fact]
    public async Task A_shared_subscription_gives_each_message_to_one_member()
    {
        await using var house = await BrokerHouse.Start();
        await using var a = await house.Connect("a");
        await using var b = await house.Connect("b");
        await using var pub = await house.Connect("pub");
        await a.Subscribe("$share/g/t/+");
        await b.Subscribe("$share/g/t/+");
        for (var i = 0; i < 10; i++)
            await pub.Publish("t/x", i.ToString());
        await pub.Ping();
        HashSet<string> seen = [];
        for (var i = 0; i < 5; i++)
        {
            Assert.True(seen.Add(await a.Payload()));
            Assert.True(seen.Add(await b.Payload()));
        }
        await a.Nothing();
        await b.Nothing();
    }

    [Fact]
    public async Task Retained_messages_come_for_exact_topics_until_an_empty_one_clears_them_and_survive_a_crash()
    {
        await using var house = await BrokerHouse.Start();
        await using (var pub = await house.Connect("pub"))
        {
            await pub.PublishSurely("state/door", "open", retain: true);
            await pub.PublishSurely("state/gone", "x", retain: true);
            await pub.PublishSurely("state/gone", "", retain: true);
        }
        await house.Crash();
        await using var sub = await house.Connect("sub");
        await sub.Subscribe("state/gone");
        await sub.Subscribe("state/+");
        await sub.Nothing();
        await sub.Subscribe("state/door");
        var got = await sub.Message();
        Assert.Equal(("state/door", "open", true), (got.Topic, got.Payload, got.Retain));
        Assert.Equal("state/door", Assert.Single(house.Broker.ListRetained(new("111111111111"))).Message.Topic);
    }

    [Fact]
    public async Task Services_publish_and_subscribe_in_process()
    {
        await using var house = await BrokerHouse.Start();
        await using var device = await house.Connect("device");
        await device.Subscribe("down/#", 1);
        var heard = new TaskCompletionSource<DeliveredMessage>();
        using (house.Broker.Subscribe(new("111111111111"), "up/#", heard.SetResult))
        {
            await device.Publish("up/1", "hello");
            var message = await heard.Task.WaitAsync(TimeSpan.FromSeconds(20));
            Assert.Equal(("up/1", "device"), (message.Message.Topic, message.Source!.ClientId));
        }
        await device.Publish("up/1", "nobody hears this, or SetResult would throw");
        await house.Broker.Publish(new("111111111111"), new("down/1", "to you"u8.ToArray()) { QoS = 1 }, default);
        Assert.Equal("to you", await device.Payload());
    }

    [Fact]
    public async Task Accounts_do_not_hear_each_other()
    {
        await using var house = await BrokerHouse.Start();
        await using var mine = await house.Connect("same-id");
        await using var theirs = await house.Connect("same-id", c => c.Account = "222222222222");
        await mine.Subscribe("#");
        await theirs.Subscribe("#");
        await theirs.PublishSurely("t", "secret", retain: true);
        Assert.Equal("secret", await theirs.Payload());
        await mine.Nothing();
        await mine.Subscribe("t");
        await mine.Nothing();
        Assert.Single(house.Broker.Connections(new("111111111111")));
    }
}

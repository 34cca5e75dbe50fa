using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;

namespace Althing.Tests.Broker;

/// <summary>What people see of the broker at work.</summary>
public class InspectionTests
{
    static readonly AccountId Account = new("111111111111");

    [Fact]
    public async Task A_trace_shows_both_directions_over_a_reconnect_and_nothing_secret()
    {
        await using var house = await BrokerHouse.Start();
        await using (var first = await house.Connect("pump", c => c.Version = MqttVersion.V5))
        {
            using var trace = house.Broker.Trace(Account, "pump", payloads: false);
            await first.Subscribe("a/+", 1);
            await first.PublishSurely("a/b", "the payload");
            await first.Acknowledge((await first.Message()).PacketId);
            await first.Disconnect();
            await first.Closed();
            await using var second = await house.Connect("pump", c => c.Version = MqttVersion.V5);
            await second.Ping();
            // A message to oneself and the acknowledgement of the publish may go out in either order.
            Assert.Equal(
                ["CONNACK out", "CONNECT in", "DISCONNECT in", "END", "PINGREQ in", "PINGRESP out", "PUBACK in", "PUBACK out", "PUBLISH in", "PUBLISH out", "SUBACK out", "SUBSCRIBE in"],
                trace.Packets.Select(p => p.Type == "END" ? "END" : p.Type + (p.FromClient ? " in" : " out")).Order(StringComparer.Ordinal));
            Assert.Equal("SUBSCRIBE", trace.Packets[0].Type);
            var text = string.Join('\n', trace.Packets.Select(p => p.Text + p.Payload));
            Assert.Contains("a/+ (QoS 1)", text, StringComparison.Ordinal);
            Assert.Contains("a/b, QoS 1, packet 1, 11 bytes of payload", text, StringComparison.Ordinal);
            Assert.DoesNotContain("the payload", text, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
            Assert.Contains("password not shown", text, StringComparison.Ordinal);
            trace.Dispose();
            var count = trace.Count;
            await second.Ping();
            Assert.Equal((count, false), (trace.Count, trace.IsRunning));
        }
    }

    [Fact]
    public async Task A_trace_with_payloads_keeps_their_beginning_and_only_the_last_packets()
    {
        await using var house = await BrokerHouse.Start();
        await using var client = await house.Connect("pump");
        using var trace = house.Broker.Trace(Account, "pump", payloads: true);
        await client.Publish("a", new string('x', 1000));
        await client.Ping();
        Assert.Equal(new string('x', 256) + " …", trace.Packets[0].Payload);
        for (var i = 0; i < PacketTrace.KeptMax; i++)
            await client.Ping();
        Assert.Equal(PacketTrace.KeptMax, trace.Packets.Count);
        Assert.DoesNotContain(trace.Packets, p => p.Type == "PUBLISH");
        for (var i = 0; i < 15; i++)
            house.Broker.Trace(Account, "other-" + i, payloads: false);
        Assert.Throws<InvalidOperationException>(() => house.Broker.Trace(Account, "one-too-many", payloads: false));
    }

    [Fact]
    public async Task A_recording_says_who_got_a_message_and_why_others_did_not()
    {
        await using var house = await BrokerHouse.Start(new() { QueuedMessagesMax = 1 });
        house.Authority.Deny(DeviceAction.Subscribe, "t/#");
        await using var publisher = await house.Connect("publisher", c => c.Version = MqttVersion.V5);
        await publisher.Subscribe(new SubscribeEntry("t/+", 1, NoLocal: true));
        await using var zero = await house.Connect("zero");
        await zero.Subscribe("t/+");
        await using var one = await house.Connect("one");
        await one.Subscribe("t/+", 1);
        await using var small = await house.Connect("small", c => (c.Version, c.Properties) = (MqttVersion.V5, new() { MaximumPacketSize = 20 }));
        await small.Subscribe("t/+");
        await using (var away = await house.Connect("away", c => c.CleanStart = false))
        {
            await away.Subscribe("t/+", 1);
            await away.Disconnect();
            await away.Closed();
        }
        await using var refused = await house.Connect("refused");
        Assert.Equal(ReasonCode.UnspecifiedError, Assert.Single(await refused.Subscribe("t/#")));
        using var recording = house.Broker.Record(Account, new() { TopicFilter = "t/#", Receiver = "refused" });
        await publisher.PublishSurely("t/1", "a message of some size", id: 1);
        await one.Acknowledge((await one.Message()).PacketId);
        await one.Ping();
        await publisher.PublishSurely("t/2", "small", id: 2);
        await publisher.PublishSurely("elsewhere", "x", id: 3);
        var publishes = recording.Publishes;
        Assert.Equal(["t/2", "t/1"], publishes.Select(p => p.Topic));
        Assert.Equal(
            [("away", DeliveryOutcome.Queued), ("one", DeliveryOutcome.Acknowledged), ("publisher", DeliveryOutcome.NoLocal), ("refused", DeliveryOutcome.SubscriptionRefused), ("small", DeliveryOutcome.TooLarge), ("zero", DeliveryOutcome.Sent)],
            publishes[1].Receivers.Select(r => (r.Receiver!, r.Outcome)).Order());
        Assert.Equal(DeliveryOutcome.QueueFull, publishes[0].Receivers.Single(r => r.Receiver == "away").Outcome);
        Assert.Equal(1, house.Broker.SessionsOf(Account).Single(s => s.ClientId == "away").Dropped);
    }

    [Fact]
    public async Task A_recording_shows_policies_absence_and_shared_subscriptions_at_QoS_0()
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Receive, "t");
        house.Authority.Deny(DeviceAction.Publish, "forbidden");
        await using var denied = await house.Connect("denied");
        await denied.Subscribe("t");
        await using var left = await house.Connect("left");
        await left.Subscribe("$share/g/u");
        await using var right = await house.Connect("right");
        await right.Subscribe("$share/g/u");
        await using var publisher = await house.Connect("publisher", c => c.Version = MqttVersion.V5);
        using var recording = house.Broker.Record(Account, new() { Publisher = "publisher", Receiver = "nobody" });
        await publisher.Publish("t", "x");
        await publisher.Publish("u", "x");
        Assert.Equal(ReasonCode.NotAuthorized, await publisher.PublishSurely("forbidden", "x"));
        var publishes = recording.Publishes;
        Assert.NotNull(publishes[0].Refusal);
        Assert.Equal([DeliveryOutcome.Sent, DeliveryOutcome.SharedElsewhere, DeliveryOutcome.NoSession], publishes[1].Receivers.Select(r => r.Outcome).Order());
        Assert.Equal(DeliveryOutcome.Policy, publishes[2].Receivers.Single(r => r.Receiver == "denied").Outcome);
        house.Time.Advance(DeliveryRecording.LifetimeMax);
        Assert.False(recording.IsRunning);
        Assert.Throws<ArgumentException>(() => house.Broker.Record(Account, new() { TopicFilter = "a/#/b" }));
    }

    [Fact]
    public async Task Two_samples_make_rates_by_topic_and_by_client()
    {
        await using var house = await BrokerHouse.Start();
        await using var listener = await house.Connect("listener");
        await listener.Subscribe("#");
        await using var talker = await house.Connect("talker");
        var before = house.Broker.Sample(Account);
        for (var i = 0; i < 10; i++)
            await talker.Publish(i < 8 ? "busy" : "quiet", "12345");
        await talker.Ping();
        await listener.Ping();
        var now = house.Broker.Sample(Account);
        Assert.Equal([new("busy", 4, 20), new Rate("quiet", 1, 5)], TrafficSample.Top(before.Topics, now.Topics, TimeSpan.FromSeconds(2), 5));
        Assert.Equal(("talker", 5), TrafficSample.Top(before.From, now.From, TimeSpan.FromSeconds(2), 1).Select(r => (r.Name, r.Messages)).Single());
        Assert.Equal(("listener", 5), TrafficSample.Top(before.To, now.To, TimeSpan.FromSeconds(2), 1).Select(r => (r.Name, r.Messages)).Single());
        Assert.Equal("#", Assert.Single(house.Broker.Subscriptions(Account)).Filter);
        Assert.True(house.Broker.Connections(Account).Single(c => c.ClientId == "talker").BytesIn > 100);
    }
}

using System.Text;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Broker;

/// <summary>What the broker refuses.</summary>
public class GuardTests
{
    [Fact]
    public async Task A_wrong_password_and_a_barred_client_are_refused_with_their_codes()
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Barred.Add("barred");
        await using var wrong = await house.Connect("one", c => (c.Password, c.MayFail) = ("guess", true));
        Assert.Equal(4, wrong.Answer.Code);
        await using var barred = await house.Connect("barred", c => c.MayFail = true);
        Assert.Equal(5, barred.Answer.Code);
        await using var barred5 = await house.Connect("barred", c => (c.Version, c.MayFail) = (MqttVersion.V5, true));
        Assert.Equal(0x87, barred5.Answer.Code);
        await wrong.Closed();
        await barred.Closed();
        await barred5.Closed();
    }

    [Fact]
    public async Task A_denied_publish_closes_mqtt_3_and_is_told_to_mqtt_5_in_order()
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Publish, "no");
        house.Authority.Deny(DeviceAction.RetainPublish, "kept");
        await using var watch = await house.Connect("watch");
        await watch.Subscribe("#");
        await using var five = await house.Connect("five", c => c.Version = MqttVersion.V5);
        Assert.Equal(ReasonCode.NotAuthorized, await five.PublishSurely("no", "x"));
        Assert.Equal(ReasonCode.NotAuthorized, await five.PublishSurely("kept", "x", retain: true));
        Assert.Equal(ReasonCode.Success, await five.PublishSurely("kept", "plain"));
        await five.Publish("no", "x");
        Assert.Equal(ReasonCode.NotAuthorized, await five.Closed());
        await using var three = await house.Connect("three");
        await three.Publish("no", "x", 1);
        Assert.Null(await three.Closed());
        Assert.Equal("plain", await watch.Payload());
        await watch.Nothing();
    }

    [Fact]
    public async Task A_change_of_policy_is_judged_at_the_next_packet()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await using var pub = await house.Connect("pub", c => c.Version = MqttVersion.V5);
        await sub.Subscribe("t", 1);
        Assert.Equal(ReasonCode.Success, await pub.PublishSurely("t", "1"));
        Assert.Equal("1", await sub.Payload());
        house.Authority.Deny(DeviceAction.Receive, "t");
        Assert.Equal(ReasonCode.Success, await pub.PublishSurely("t", "2"));
        await sub.Nothing();
        house.Authority.Deny(DeviceAction.Publish, "t");
        Assert.Equal(ReasonCode.NotAuthorized, await pub.PublishSurely("t", "3"));
    }

    [Fact]
    public async Task A_denied_subscription_fails_alone()
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Subscribe, "no");
        await using var three = await house.Connect("three");
        Assert.Equal([ReasonCode.GrantedQoS1, ReasonCode.UnspecifiedError], await three.Subscribe(new SubscribeEntry("yes", 1), new SubscribeEntry("no", 1)));
        await using var five = await house.Connect("five", c => c.Version = MqttVersion.V5);
        Assert.Equal([ReasonCode.NotAuthorized, ReasonCode.NotAuthorized], await five.Subscribe(new SubscribeEntry("no", 1), new SubscribeEntry("$share/g/no", 1)));
    }

    [Fact]
    public async Task A_revoked_identity_is_disconnected()
    {
        await using var house = await BrokerHouse.Start();
        await using var one = await house.Connect("one", c => c.Version = MqttVersion.V5);
        house.Authority.Revoke("one");
        Assert.Equal(ReasonCode.NotAuthorized, await one.Closed());
    }

    [Fact]
    public async Task A_will_that_policies_do_not_allow_refuses_the_connection()
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Publish, "wills");
        await using var one = await house.Connect("one", c => (c.Will, c.MayFail) = (new("wills", [], 0, false, null), true));
        Assert.Equal(5, one.Answer.Code);
    }

    [Theory]
    [InlineData("$aws/events/presence/connected/x")]
    [InlineData("$SYS/x")]
    [InlineData("a/b/c/d/e/f/g/h/i")]
    [InlineData("with/+/wildcard")]
    public async Task Topics_that_clients_must_not_publish_to_end_the_connection(string topic)
    {
        await using var house = await BrokerHouse.Start();
        await using var one = await house.Connect("one", c => c.Version = MqttVersion.V5);
        await one.Publish(topic, "x");
        Assert.Equal(ReasonCode.TopicNameInvalid, await one.Closed());
    }

    [Fact]
    public async Task Quotas_are_kept()
    {
        await using var house = await BrokerHouse.Start();
        await using var five = await house.Connect("five", c => c.Version = MqttVersion.V5);
        var nine = await five.Subscribe([.. Enumerable.Range(0, 9).Select(i => new SubscribeEntry("t/" + i, 0))]);
        Assert.Equal([.. Enumerable.Repeat(ReasonCode.Success, 8), ReasonCode.QuotaExceeded], nine);
        Assert.Equal([ReasonCode.TopicFilterInvalid], await five.Subscribe("a/b/c/d/e/f/g/h/i"));
        Assert.Equal([ReasonCode.TopicFilterInvalid], await five.Subscribe("a#"));
        await five.Publish("t", new string('x', 129 * 1024));
        Assert.Equal(ReasonCode.PacketTooLarge, await five.Closed());
        await using var wide = await house.Connect(new string('i', 129), c => c.MayFail = true);
        Assert.Equal(2, wide.Answer.Code);
    }

    [Fact]
    public async Task A_client_gets_no_packet_larger_than_it_takes()
    {
        await using var house = await BrokerHouse.Start();
        await using var small = await house.Connect("small", c => (c.Version, c.Properties) = (MqttVersion.V5, new() { MaximumPacketSize = 50 }));
        await using var pub = await house.Connect("pub");
        await small.Subscribe("t", 1);
        await pub.PublishSurely("t", new string('x', 100));
        await pub.Publish("t", new string('x', 100));
        await pub.PublishSurely("t", "fits");
        Assert.Equal("fits", await small.Payload());
    }

    [Fact]
    public async Task Random_bytes_end_their_own_connection_and_no_other()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await sub.Subscribe("t");
        var random = new Random(7);
        for (var i = 0; i < 60; i++)
        {
            var bytes = new byte[random.Next(1, 300)];
            random.NextBytes(bytes);
            await using var stranger = i % 2 == 0 ? await TestClient.Open(house.Port) : await house.Connect("stranger" + i);
            try
            {
                await stranger.Raw(bytes);
                // What looks like the beginning of a longer packet must be cut short by the stranger itself.
                stranger.HangUp();
                await stranger.Closed();
            }
            catch (IOException)
            {
                // Closed while we wrote.
            }
        }
        await using var pub = await house.Connect("pub");
        await pub.Publish("t", "still here");
        Assert.Equal("still here", await sub.Payload());
    }
}

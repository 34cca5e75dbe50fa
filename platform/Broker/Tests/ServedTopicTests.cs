using System.Text;
using Althing.Mqtt;
using Althing.Tests.Broker.Conformance;

namespace Althing.Tests.Broker;

public class ServedTopicTests
{
    [Fact]
    public async Task A_publisher_is_acknowledged_when_the_service_has_done_its_part_and_subscribers_get_the_message_too()
    {
        await using var house = await BrokerHouse.Start();
        TaskCompletionSource done = new(), asked = new();
        List<string> seen = [];
        house.Broker.Serve("$aws/things/+/do", (account, message) =>
        {
            seen.Add($"{account.Value} {message.Message.Topic} {Encoding.UTF8.GetString(message.Message.Payload.Span)} {message.Source?.ClientId}");
            asked.SetResult();
            return new(done.Task);
        });
        house.Broker.Serve("$aws/things/#", (_, _) => throw new InvalidOperationException("The first filter serves."));
        await using var device = await house.Connect("device", c => c.Version = MqttVersion.V5);
        await using var watcher = await house.Connect("watcher");
        await watcher.Subscribe("$aws/things/a/do", 1);
        var acknowledged = device.PublishSurely("$aws/things/a/do", "x");
        await asked.Task;
        Assert.False(acknowledged.IsCompleted);
        done.SetResult();
        Assert.Equal(ReasonCode.Success, await acknowledged);
        Assert.Equal(["111111111111 $aws/things/a/do x device"], seen);
        Assert.Equal("x", await watcher.Payload());
    }

    [Fact]
    public async Task A_message_is_served_over_QoS_0_and_after_the_topic_is_known()
    {
        await using var house = await BrokerHouse.Start();
        var count = 0;
        house.Broker.Serve("$aws/things/+/do", (_, _) =>
        {
            count++;
            return default;
        });
        await using var device = await house.Connect("device");
        for (var i = 0; i < 3; i++)
            await device.Publish("$aws/things/a/do", "x");
        await device.Ping();
        Assert.Equal(3, count);
    }
}

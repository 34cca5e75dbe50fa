using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Tests.Broker;
using static Althing.Tests.Cluster.TwoNodes;

namespace Althing.Tests.Cluster;

/// <summary>Nodes on one PostgreSQL, each a process of its own.</summary>
[Collection(nameof(TwoNodes))]
public sealed class ClusterTests(TwoNodes nodes)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    static async Task PublishExactlyOnce(TestClient client, string topic, string payload, ushort id)
    {
        await client.Publish(topic, payload, 2, id: id);
        await client.Expect(PacketType.PubRec);
        await client.Send(b => new AcknowledgePacket(id, ReasonCode.Success).Write(b, PacketType.PubRel, MqttVersion.V311));
        await client.Expect(PacketType.PubComp);
    }

    [Fact]
    public async Task A_message_reaches_subscribers_of_the_other_node_with_each_quality()
    {
        await using var subscriber = await Client(nodes.B, "over-there");
        await subscriber.Subscribe("over/#", 2);
        await using var publisher = await Client(nodes.A, "over-here");
        await publisher.Publish("over/0", "zero");
        await publisher.PublishSurely("over/1", "one");
        await PublishExactlyOnce(publisher, "over/2", "two", 2);
        List<Got> got = [await subscriber.Message(), await subscriber.Message(), await subscriber.Message()];
        Assert.Equal([("zero", 0), ("one", 1), ("two", 2)], got.Select(g => (g.Payload, g.QoS)));
        await subscriber.Unsubscribe("over/#");
        await publisher.PublishSurely("over/1", "nobody");
        await subscriber.Nothing();
    }

    [Fact]
    public async Task Messages_without_quality_cross_as_they_were_published_between_all_versions_in_order()
    {
        await using var five = await Client(nodes.B, "plain-five", change: c => c.Version = MqttVersion.V5);
        await using var three = await Client(nodes.B, "plain-three", change: c => c.Version = MqttVersion.V311);
        foreach (var subscriber in new[] { five, three })
            await subscriber.Subscribe("plain/#", 1);
        await using var publisher = await Client(nodes.A, "plain-from", change: c => c.Version = MqttVersion.V5);
        await publisher.Publish("plain/a", "named", properties: new() { ContentType = "text/plain", UserProperties = [new("of", "A")] });
        await using var old = await Client(nodes.A, "plain-from-old", change: c => c.Version = MqttVersion.V311);
        var first = await five.Message();
        Assert.Equal(("named", "text/plain", "A"), (first.Payload, first.Properties?.ContentType, first.Properties?.UserProperties?[0].Value));
        for (var i = 0; i < 2000; i++)
            await old.Publish($"plain/{i % 7}", $"{i}");
        await old.PublishSurely("plain/last", "end");
        foreach (var subscriber in new[] { five, three })
        {
            if (subscriber == three)
                Assert.Equal("named", await three.Payload());
            for (var i = 0; i < 2000; i++)
            {
                var got = await subscriber.Message();
                Assert.Equal(($"plain/{i % 7}", $"{i}"), (got.Topic, got.Payload));
            }
            Assert.Equal("end", await subscriber.Payload());
        }
    }

    [Fact]
    public async Task A_retained_message_is_there_on_every_node_and_gone_on_every_node()
    {
        await using var publisher = await Client(nodes.A, "keeper");
        await publisher.PublishSurely("kept/here", "for all", retain: true);
        await using (var late = await Client(nodes.B, "late"))
        {
            await late.Subscribe("kept/here", 1);
            var got = await late.Message();
            Assert.True(got.Retain);
            Assert.Equal("for all", got.Payload);
        }
        await publisher.PublishSurely("kept/here", "", retain: true);
        await using var later = await Client(nodes.B, "later");
        await later.Subscribe("kept/here", 1);
        await later.Nothing();
    }

    [Fact]
    public async Task Members_of_a_shared_subscription_on_two_nodes_share_the_messages()
    {
        await using var here = await Client(nodes.A, "member-here");
        await using var there = await Client(nodes.B, "member-there");
        await here.Subscribe("$share/group/work/+", 1);
        await there.Subscribe("$share/group/work/+", 1);
        await using var publisher = await Client(nodes.B, "boss");
        for (ushort i = 1; i <= 40; i++)
            await publisher.PublishSurely("work/" + i % 4, "job " + i, id: i);
        await here.Ping();
        await there.Ping();
        Assert.Equal(40, here.Waiting + there.Waiting);
        Assert.InRange(here.Waiting, 5, 35);
    }

    [Fact]
    public async Task A_client_that_connects_to_another_node_finds_its_session_there_and_loses_its_connection_here()
    {
        var here = await Client(nodes.A, "mover", clean: false);
        await here.Subscribe("move/#", 2);
        await using var publisher = await Client(nodes.B, "mover-source");
        await publisher.PublishSurely("move/1", "unacknowledged");
        Assert.Equal("unacknowledged", await here.Payload());
        await using var there = await Client(nodes.B, "mover", clean: false);
        Assert.True(there.Answer.SessionPresent);
        await here.Closed();
        await here.DisposeAsync();
        var again = await there.Message();
        Assert.Equal(("unacknowledged", true), (again.Payload, again.Duplicate));
        await there.Acknowledge(again.PacketId);
        // And its subscription lives there, not here.
        await publisher.PublishSurely("move/2", "next");
        Assert.Equal("next", await there.Payload());
        await there.Nothing();
    }

    [Fact]
    public async Task What_waits_for_a_client_goes_with_its_session_in_order()
    {
        await Away(nodes.A, "traveller", "road/#", 2);
        await using (var publisher = await Client(nodes.B, "road-source"))
        {
            for (ushort i = 1; i <= 50; i++)
                await publisher.PublishSurely("road/x", i.ToString(), id: i);
            await PublishExactlyOnce(publisher, "road/x", "51", 51);
        }
        await using var back = await Client(nodes.B, "traveller", clean: false);
        Assert.True(back.Answer.SessionPresent);
        for (var i = 1; i <= 51; i++)
        {
            var got = await back.Message();
            Assert.Equal((i.ToString(), false), (got.Payload, got.Duplicate));
            if (got.QoS == 1)
                await back.Acknowledge(got.PacketId);
        }
        await back.Nothing();
    }

    [Fact]
    public async Task Two_clients_of_one_id_on_two_nodes_never_stay_both()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Client(i % 2 == 0 ? nodes.A : nodes.B, "twin")));
        var closed = clients.Select(c => c.Closed()).ToList();
        for (var i = 0; i < clients.Length - 1; i++)
        {
            var ended = await Task.WhenAny(closed);
            closed.Remove(ended);
        }
        var last = Assert.Single(closed);
        Assert.False(last.IsCompleted);
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task When_a_node_is_killed_its_sessions_go_on_elsewhere_with_all_that_was_acknowledged()
    {
        await using var doomed = await nodes.Join("doomed");
        await Away(doomed, "survivor-1", "load/#", 1);
        await Away(doomed, "survivor-2", "load/#", 2);
        using var enough = new CancellationTokenSource();
        List<string> acknowledged = [];
        async Task Load(House at, string name, bool once)
        {
            await using var publisher = await Client(at, name);
            for (ushort i = 1; !enough.IsCancellationRequested; i++)
            {
                if (once)
                    await PublishExactlyOnce(publisher, "load/" + name, $"{name} {i}", i);
                else
                    await publisher.PublishSurely("load/" + name, $"{name} {i}", id: i);
                lock (acknowledged)
                    acknowledged.Add($"{name} {i}");
            }
        }
        Task[] loads = [Load(nodes.A, "one", once: false), Load(nodes.B, "two", once: true)];
        while (Count() < 200)
            await loads[0].WaitAsync(TimeSpan.FromMilliseconds(20), Cancel).ContinueWith(static _ => { }, TaskScheduler.Default);
        await doomed.Kill();
        var killed = System.Diagnostics.Stopwatch.GetTimestamp();
        var before = Count();
        while (Count() < before + 100)
            await loads[0].WaitAsync(TimeSpan.FromMilliseconds(20), Cancel).ContinueWith(static _ => { }, TaskScheduler.Default);
        await enough.CancelAsync();
        await Task.WhenAll(loads);
        foreach (var id in (string[])["survivor-1", "survivor-2"])
        {
            await using var back = await Client(nodes.B, id, clean: false);
            Assert.True(back.Answer.SessionPresent);
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(killed) < TimeSpan.FromSeconds(15));
            await GetsAll(back, [.. acknowledged]);
        }
        int Count()
        {
            lock (acknowledged)
                return acknowledged.Count;
        }
    }

    static async Task GetsAll(TestClient client, HashSet<string> expected)
    {
        while (expected.Count > 0)
        {
            var got = await client.Message();
            expected.Remove(got.Payload);
            if (got.QoS == 1)
                await client.Acknowledge(got.PacketId);
            else
                await client.Send(b => new AcknowledgePacket(got.PacketId, ReasonCode.Success).Write(b, PacketType.PubRec, MqttVersion.V311));
            if (got.QoS == 2)
            {
                await client.Expect(PacketType.PubRel);
                await client.Send(b => new AcknowledgePacket(got.PacketId, ReasonCode.Success).Write(b, PacketType.PubComp, MqttVersion.V311));
            }
        }
    }

    [Fact]
    public async Task A_message_of_QoS_2_is_neither_lost_nor_doubled_when_its_publishers_node_dies()
    {
        await using var doomed = await nodes.Join("doomed-too");
        await using var receiver = await nodes.Join("receiver");
        await Away(receiver, "once-subscriber", "once/#", 2);
        await Away(doomed, "beside", "beside", 1);
        await using (var publisher = await Client(doomed, "once-publisher", clean: false))
        {
            await PublishExactlyOnce(publisher, "once/x", "first", 7);
            await using var beside = await Client(doomed, "beside-publisher");
            receiver.Signal("STOP");
            await publisher.Publish("once/x", "second", 2, id: 8);
            // What is on disk after it is on disk, too.
            for (ushort i = 1; i <= 5; i++)
                await beside.PublishSurely("beside", "x", id: i);
            await doomed.Kill();
        }
        receiver.Signal("CONT");
        await using var again = await Client(nodes.A, "once-publisher", clean: false);
        Assert.True(again.Answer.SessionPresent);
        await PublishExactlyOnce(again, "once/x", "second", 8);
        await using var subscriber = await Client(nodes.B, "once-subscriber", clean: false);
        Assert.Equal("first", await subscriber.Payload());
        Assert.Equal("second", await subscriber.Payload());
        await PublishExactlyOnce(again, "once/x", "third", 9);
        Assert.Equal("third", await subscriber.Payload());
    }

    [Fact]
    public async Task A_node_that_leaves_in_order_hands_over_at_once_and_may_come_back()
    {
        var leaver = await nodes.Join("leaver");
        await Away(leaver, "left-behind", "left/#", 1);
        await using var publisher = await Client(nodes.A, "left-source");
        await publisher.PublishSurely("left/1", "before");
        Assert.Equal(0, await leaver.Stop());
        await publisher.PublishSurely("left/1", "after");
        await using (var back = await Client(nodes.B, "left-behind", clean: false))
        {
            Assert.True(back.Answer.SessionPresent);
            Assert.Equal("before", await back.Payload());
            Assert.Equal("after", await back.Payload());
        }
        await leaver.Start();
        await using var home = await Client(leaver, "left-behind", clean: false);
        Assert.True(home.Answer.SessionPresent);
        await leaver.DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_was_away_too_long_acknowledges_nothing_and_ends()
    {
        await using var frozen = await nodes.Join("frozen");
        await using var publisher = await Client(frozen, "frozen-source");
        await Away(frozen, "thawed", "ice/#", 1);
        frozen.Signal("STOP");
        await publisher.Publish("ice/1", "never acknowledged", 1);
        // Its session is on another node as soon as its client may have it there.
        await using var elsewhere = await Client(nodes.A, "thawed", clean: false);
        Assert.True(elsewhere.Answer.SessionPresent);
        frozen.Signal("CONT");
        await Assert.ThrowsAnyAsync<Exception>(() => publisher.Expect(PacketType.PubAck));
        Assert.Equal(1, await frozen.Ended());
        Assert.Contains("is not one of the cluster any more", frozen.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_does_not_belong_is_refused_and_told_why()
    {
        await Refused("belongs to a cluster of nodes: start with --join", nodes.WithoutJoining);
        await Refused("all nodes have one master key", nodes.Options("stranger"));
        var twin = await Assert.ThrowsAsync<InvalidOperationException>(() => nodes.Join("a"));
        Assert.Contains("Another data folder belongs to the node 'a' already", twin.Message, StringComparison.Ordinal);
    }

    static async Task Refused(string why, string[] options)
    {
        var folder = Directory.CreateTempSubdirectory("althing-stranger-");
        var ran = await AlthingProgram.Run(["up", "--data", folder.FullName, "--http", "0", "--https", "0", "--mqtts", "0", .. options]);
        Assert.Equal(1, ran.ExitCode);
        Assert.Contains(why, ran.Output, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }
}

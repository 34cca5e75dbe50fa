using Althing.Broker;
using Althing.Mqtt;
using Althing.Storage;
using Althing.Tests.Broker.Conformance;

namespace Althing.Tests.Broker;

/// <summary>The time after a start in which the log is still being read.</summary>
public class RecoveryTests
{
    static void Persistent(TestConnect connect) => connect.CleanStart = false;

    [Fact]
    public async Task Others_are_served_meanwhile_and_new_messages_queue_behind_what_was_there()
    {
        await using var house = await BrokerHouse.Start();
        await using (var away = await house.Connect("away", Persistent))
            await away.Subscribe("t", 2);
        await using (var pub = await house.Connect("pub"))
        {
            await pub.PublishMany("t", 100, i => $"{i}");
            await pub.PublishOnce("t", "old");
        }
        SlowJournal slow = null!;
        await house.Crash(journal => slow = new(journal));
        await using var served = await house.Connect("served");
        await served.Subscribe("t");
        await using var stranger = await house.Connect("pub");
        Assert.Equal(0, house.Broker.RecoveryProgress);
        await stranger.PublishOnce("t", "new");
        await stranger.PublishMany("t", 50, i => $"{100 + i}");
        Assert.Equal("new", await served.Payload());
        var coming = house.Connect("away", Persistent);
        await stranger.Ping();
        Assert.False(coming.IsCompleted);
        slow.LetReplay();
        await using var back = await coming;
        Assert.Null(house.Broker.RecoveryProgress);
        string[] expected = [.. Enumerable.Range(0, 100).Select(i => $"{i}"), "old", "new", .. Enumerable.Range(100, 50).Select(i => $"{i}")];
        HashSet<ushort> identifiers = [];
        List<string> got = [];
        while (got.Count < expected.Length)
        {
            var message = await back.Message();
            got.Add(message.Payload);
            if (message.QoS == 2)
                Assert.True(identifiers.Add(message.PacketId));
            else
                await back.Acknowledge(message.PacketId);
        }
        Assert.Equal(expected, got);
        Assert.Equal(2, identifiers.Count);
        await back.Nothing();
    }

    [Fact]
    public async Task A_client_whose_session_is_not_read_in_time_is_told_to_come_again()
    {
        await using var house = await BrokerHouse.Start();
        await using (var away = await house.Connect("away", Persistent))
            await away.Subscribe("t", 1);
        SlowJournal slow = null!;
        await house.Crash(journal => slow = new(journal));
        var coming = house.Connect("away", c => (c.CleanStart, c.Version, c.MayFail) = (false, MqttVersion.V5, true));
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        await Eventually.True(() =>
        {
            house.Time.Advance(TimeSpan.FromSeconds(1));
            return coming.IsCompleted;
        });
        await using var told = await coming;
        Assert.Equal((byte)ReasonCode.ServerUnavailable, told.Answer.Code);
        slow.LetReplay();
        await house.Broker.Recovery;
        await using var back = await house.Connect("away", Persistent);
        Assert.True(back.Answer.SessionPresent);
    }

    [Fact]
    public async Task A_session_that_began_since_the_start_gets_nothing_of_an_earlier_one()
    {
        await using var storage = new TemporaryStorage();
        var journal = storage.Open.Journal("mqtt");
        var before = new MessageLog(journal);
        await before.Begin(1, CancellationToken.None);
        var key = Key.Of("111111111111", "one");
        await before.Append(new("111111111111"), Message("t", "stale"), [new(key, 0)], null).Durable;
        var after = new MessageLog(journal);
        await after.Begin(2, CancellationToken.None);
        await after.Append(new("111111111111"), Message("t", "fresh"), [new(key, 0)], null).Durable;
        await after.Recover(CancellationToken.None);
        var stale = Assert.Single(after.Remaining());
        Assert.True(stale.Id < after.FirstId);
    }

    static Message Message(string topic, string payload) => new() { Topic = topic, Payload = System.Text.Encoding.UTF8.GetBytes(payload), QoS = 1, Received = DateTimeOffset.UnixEpoch };

    [Fact]
    public async Task One_message_that_is_never_fetched_does_not_hold_the_log()
    {
        await using var storage = new TemporaryStorage();
        var journal = storage.Open.Journal("mqtt");
        var log = new MessageLog(journal, compactionBytesMin: 1 << 20);
        await log.Begin(1, CancellationToken.None);
        log.Recovered();
        var payload = new string('x', 1000);
        List<long> kept = [];
        for (var round = 0; round < 100; round++)
        {
            Task durable = Task.CompletedTask;
            for (var i = 0; i < 1000; i++)
            {
                var appended = log.Append(new("111111111111"), Message("t", $"{round}.{i} {payload}"), [new("one", 0), new("two", 0)], null);
                durable = appended.Durable;
                log.Acknowledge(appended.Id, "one");
                if (i % 100 == 0)
                    kept.Add(appended.Id);
                else
                    log.Acknowledge(appended.Id, "two");
            }
            await durable;
        }
        await Eventually.True(() => log.Size.Bytes < 30 << 20 && log.Size.Live < 3 << 20);
        var files = new DirectoryInfo(Path.Combine(storage.Folder, "journals", "mqtt")).GetFiles();
        // One segment is as small as the space that is given back.
        Assert.True(files.Length <= 2, $"{files.Length} files are left.");
        var messages = await log.Load(kept);
        Assert.All(messages, m => Assert.NotNull(m));
        Assert.Equal(kept, messages.Select(m => m!.LogId));
        var again = new MessageLog(journal);
        await again.Begin(2, CancellationToken.None);
        await again.Recover(CancellationToken.None);
        Assert.Equal(kept.Select(id => (id, "two")), again.Remaining().Select(r => (r.Id, r.Debts.Single().Session)));
    }
}

using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;
using Althing.Tests.Broker.Conformance;

namespace Althing.Tests.Broker;

static class BacklogSteps
{
    /// <summary>Publishes with QoS 1 by MQTT 3.1.1, many in a write, and waits until all are acknowledged.</summary>
    public static async Task PublishMany(this TestClient client, string topic, int count, Func<int, string> payload)
    {
        const int Batch = 1000;
        for (var first = 0; first < count; first += Batch)
        {
            var last = Math.Min(first + Batch, count);
            await client.Send(b =>
            {
                for (var i = first; i < last; i++)
                    PublishPacket.Write(b, MqttVersion.V311, topic, Encoding.UTF8.GetBytes(payload(i)), 1, false, false, (ushort)(i - first + 1), null);
            });
            for (var i = first; i < last; i++)
                await client.ExpectAck(PacketType.PubAck, (ushort)(i - first + 1));
        }
    }
}

/// <summary>A journal whose disk is as slow as a test wants: reading from the start and writing wait until they are let go.</summary>
sealed class SlowJournal(IJournal disk) : IJournal
{
    readonly TaskCompletionSource replay = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock gate = new();
    readonly List<(byte[] Record, JournalGroup Group)> held = [];
    bool holds;

    public TaskCompletionSource Replaying { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    public long HeldBytes
    {
        get
        {
            lock (gate)
                return held.Sum(h => (long)h.Record.Length);
        }
    }

    public void LetReplay() => replay.TrySetResult();

    /// <summary>From now on nothing that is added is written.</summary>
    public void Hold()
    {
        lock (gate)
            holds = true;
    }

    /// <summary>Writes what was held.</summary>
    public void LetGo()
    {
        lock (gate)
        {
            holds = false;
            foreach (var (record, group) in held)
            {
                var written = disk.Add(record);
                _ = written.Group.Durable.ContinueWith(_ => group.Complete(written.Position), TaskScheduler.Default);
            }
            held.Clear();
        }
    }

    public JournalEntry Add(ReadOnlySpan<byte> record)
    {
        lock (gate)
        {
            if (!holds)
                return disk.Add(record);
            var group = new JournalGroup();
            held.Add((record.ToArray(), group));
            return new(group, 0);
        }
    }

    public ValueTask<long> End(CancellationToken cancel) => disk.End(cancel);

    public async IAsyncEnumerable<(long Position, ReadOnlyMemory<byte> Record)> Replay(
        long from, long to, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        Replaying.TrySetResult();
        await replay.Task.WaitAsync(cancel);
        await foreach (var record in disk.Replay(from, to, cancel))
            yield return record;
    }

    public ValueTask Read(IReadOnlyList<long> positions, Action<int, ReadOnlyMemory<byte>> take, CancellationToken cancel) => disk.Read(positions, take, cancel);

    public ValueTask Trim(long before, CancellationToken cancel) => disk.Trim(before, cancel);

    public ValueTask DisposeAsync() => disk.DisposeAsync();
}

using System.Text;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Cluster;

/// <summary>Delivers batches that came, by one reader at a time.</summary>
sealed class IncomingBatches(MqttBroker broker) : IDisposable
{
    readonly ForwardedPublishes publishes = new(broker);
    readonly FlushList flush = new();

    /// <summary>Delivers the messages of a batch; completes when what must be on disk is.</summary>
    public async Task Deliver(ReadOnlyMemory<byte> body)
    {
        List<ExactlyOnce> kept = [];
        try
        {
            DeliverNow(body.Span, kept);
        }
        finally
        {
            flush.FlushSoon();
        }
        if (kept.Count == 0)
            return;
        foreach (var message in kept)
        {
            await message.Durable;
            if (message.Message.QoS == 2)
                message.Deliver(flush);
        }
        flush.Flush();
    }

    void DeliverNow(ReadOnlySpan<byte> body, List<ExactlyOnce> kept)
    {
        var reader = new PacketReader(body);
        reader.Take(8);
        var formerly = reader.Binary() is { Length: > 0 } name ? Encoding.UTF8.GetString(name) : null;
        for (var count = reader.UInt32(); count > 0; count--)
        {
            var entry = (BatchEntry)reader.Byte();
            var account = reader.Binary();
            if ((entry & BatchEntry.Plain) == 0)
                DeliverMessage(ref reader, entry, publishes.AccountOf(account), formerly, kept);
            else
            {
                var version = (MqttVersion)reader.Byte();
                var source = reader.Binary();
                publishes.Take(account, version, source, reader.Take((int)reader.UInt32()), formerly, flush, kept);
            }
        }
    }

    void DeliverMessage(ref PacketReader reader, BatchEntry entry, AccountId account, string? formerly, List<ExactlyOnce> kept)
    {
        var group = reader.Binary() is { Length: > 0 } shared ? Encoding.UTF8.GetString(shared) : null;
        var origin = reader.Binary();
        var message = LogRecord.ReadMessage(reader.Take((int)reader.UInt32()));
        var id = message.LogId;
        message.LogId = 0;
        var from = message.QoS == 2 ? (Encoding.UTF8.GetString(origin), id) : default;
        if (broker.Accept(account, message, (entry & BatchEntry.Direct) != 0, group, formerly, from, flush) is not { } accepted)
            return;
        if (message.QoS < 2)
            accepted.Deliver(flush);
        kept.Add(accepted);
    }

    public void Dispose() => publishes.Dispose();
}

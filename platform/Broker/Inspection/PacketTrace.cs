using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>One packet of a traced client.</summary>
/// <param name="Number">Counts the packets of the trace, from 1.</param>
/// <param name="FromClient">False for what the broker sent.</param>
/// <param name="Bytes">The packet's size with its header.</param>
/// <param name="Text">What it says, without payload and without anything that lets a client in.</param>
/// <param name="Payload">The beginning of its payload, where the trace was asked for payloads.</param>
public sealed record TracedPacket(long Number, DateTimeOffset At, bool FromClient, string Type, int Bytes, string Text, string? Payload);

/// <summary>
/// The packets of one client in both directions, the last <see cref="KeptMax"/>, while somebody looks. It goes on over reconnects until it is
/// disposed. Costs connections nothing that are not traced.
/// </summary>
public sealed class PacketTrace : IDisposable
{
    public const int KeptMax = 500;

    readonly Lock gate = new();
    readonly Queue<TracedPacket> kept = new();
    readonly TimeProvider time;
    readonly bool payloads;
    readonly Action<PacketTrace> stop;
    long number;

    internal PacketTrace(AccountId account, string clientId, bool payloads, TimeProvider time, Action<PacketTrace> stop)
    {
        (Account, ClientId, this.payloads, this.time, this.stop) = (account, clientId, payloads, time, stop);
    }

    public AccountId Account { get; }
    public string ClientId { get; }

    /// <summary>False after it was disposed, or another trace of the same client took its place.</summary>
    public bool IsRunning { get; private set; } = true;

    /// <summary>How many packets there were, kept or not.</summary>
    public long Count => Volatile.Read(ref number);

    /// <summary>What is kept, the oldest first.</summary>
    public IReadOnlyList<TracedPacket> Packets
    {
        get
        {
            lock (gate)
                return [.. kept];
        }
    }

    /// <summary>The version that the client speaks now.</summary>
    internal MqttVersion Version { get; set; }

    internal void In(in Frame frame) => Add(true, frame);

    /// <summary>Takes whole packets, as they are about to be written.</summary>
    internal void Out(ReadOnlySpan<byte> packets)
    {
        while (Frame.TryRead(ref packets, int.MaxValue, out var frame))
            Add(false, frame);
    }

    void Add(bool fromClient, in Frame frame) =>
        Add(fromClient, PacketText.NameOf(frame.Type), frame.Whole.Length, PacketText.Of(frame, Version), payloads ? PacketText.PayloadOf(frame, Version) : null);

    /// <summary>Notes what happened beside packets: the connection began or ended.</summary>
    internal void Note(bool fromClient, string type, string text) => Add(fromClient, type, 0, text, null);

    void Add(bool fromClient, string type, int bytes, string text, string? payload)
    {
        lock (gate)
        {
            if (!IsRunning)
                return;
            kept.Enqueue(new(++number, time.GetUtcNow(), fromClient, type, bytes, text, payload));
            if (kept.Count > KeptMax)
                kept.Dequeue();
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (!IsRunning)
                return;
            IsRunning = false;
        }
        stop(this);
    }
}

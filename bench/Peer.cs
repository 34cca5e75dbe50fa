using System.Net.Sockets;
using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Sockets;
using Althing.Sockets.Tls;

namespace Althing.Bench;

/// <summary>One connection of the generator: it publishes runs encoded beforehand, and counts what it receives.</summary>
/// <param name="tls">What encrypts; null for a plain connection.</param>
sealed class Peer(Socket socket, int qos, TlsSession? tls = null) : IDisposable
{
    const int PayloadBytes = 64;

    readonly byte[] rest = new byte[512];
    readonly PacketBuffer answers = new(512);
    byte[][] runs = [];
    int perRun;
    int next;
    int offset;
    int answered;
    int held;

    public int Fd { get; } = (int)socket.Handle;
    public long Published { get; private set; }
    public long Received { get; private set; }

    /// <summary>Messages of QoS 1 that the server has not acknowledged.</summary>
    public int InFlight { get; private set; }
    public bool Publishes => runs.Length > 0;

    /// <summary>It has begun to write a run and could not finish.</summary>
    public bool IsStuck { get; private set; }
    public bool IsWatchedForOut { get; set; }

    /// <summary>Where latencies go, in ticks of the stopwatch; null when the payload holds no time.</summary>
    public List<long>? Latencies { get; set; }

    public void Dispose()
    {
        answers.Dispose();
        tls?.Dispose();
        socket.Dispose();
    }

    int Write(ReadOnlySpan<byte> bytes) => tls is null ? Epoll.Write(Fd, bytes) : tls.Write(bytes);

    /// <summary>Makes it a publisher of runs of so many packets to a topic.</summary>
    /// <param name="window">Messages of QoS 1 in flight at most; a multiple of <paramref name="perWrite"/>.</param>
    public Peer Publishing(string topic, int perWrite, int window)
    {
        perRun = perWrite;
        runs = new byte[Math.Max(1, qos > 0 ? window / perWrite : 1)][];
        for (var run = 0; run < runs.Length; run++)
        {
            using var packets = new PacketBuffer(perWrite * 128);
            for (var i = 0; i < perWrite; i++)
                PublishPacket.Write(packets, MqttVersion.V311, topic, Encoding.ASCII.GetBytes(new string('x', PayloadBytes)), qos, false, false, (ushort)(run * perWrite + i + 1), null);
            runs[run] = packets.Written.ToArray();
        }
        return this;
    }

    public bool MayPublish => !IsStuck && (qos == 0 || InFlight <= (runs.Length - 1) * perRun);

    /// <summary>Writes one run, or what was left of it.</summary>
    public void Publish(long? stamp = null)
    {
        var run = runs[next];
        if (stamp is { } time)
            BitConverter.TryWriteBytes(run.AsSpan(run.Length - PayloadBytes), time);
        offset += Write(run.AsSpan(offset));
        IsStuck = offset < run.Length;
        if (IsStuck)
            return;
        (offset, next) = (0, (next + 1) % runs.Length);
        Published += perRun;
        if (qos > 0)
            InFlight += perRun;
    }

    /// <summary>Reads all that has come; false at the end of the stream.</summary>
    public bool Receive(byte[] buffer, Func<long> clock)
    {
        // What OpenSSL holds already epoll does not know of.
        while (true)
        {
            var more = false;
            rest.AsSpan(0, held).CopyTo(buffer);
            var read = tls is null ? Epoll.Read(Fd, buffer.AsSpan(held)) : tls.Read(buffer.AsSpan(held), out more);
            if (read < 0)
                return false;
            Take(buffer, read, clock);
            if (!more)
                return true;
        }
    }

    void Take(byte[] buffer, int read, Func<long> clock)
    {
        ReadOnlySpan<byte> bytes = buffer.AsSpan(0, held + read);
        while (Frame.TryRead(ref bytes, int.MaxValue, out var frame))
            Take(frame, clock);
        bytes.CopyTo(rest);
        held = bytes.Length;
        Answer();
    }

    void Take(in Frame frame, Func<long> clock)
    {
        if (frame.Type == PacketType.PubAck)
        {
            InFlight--;
            return;
        }
        if (frame.Type != PacketType.Publish)
            return;
        Received++;
        Latencies?.Add(clock() - BitConverter.ToInt64(frame.Body[^PayloadBytes..]));
        if ((frame.Flags & 6) == 0)
            return;
        var topic = (frame.Body[0] << 8) | frame.Body[1];
        answers.Byte((int)PacketType.PubAck << 4);
        answers.Byte(2);
        answers.Raw(frame.Body.Slice(2 + topic, 2));
    }

    void Answer()
    {
        while (answered < answers.Length)
        {
            var written = Write(answers.Written.Span[answered..]);
            if (written == 0)
                return;
            answered += written;
        }
        answers.Clear();
        answered = 0;
    }
}

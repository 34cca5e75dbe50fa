using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Host.Terminal;

/// <summary>A message that came.</summary>
sealed record Heard(string Topic, byte[] Payload, int QoS, bool Retain);

/// <summary>One MQTT 5 connection for a person at a terminal: one thing after the other, and pings meanwhile.</summary>
sealed class MqttTalk(Stream stream, TimeProvider time) : IAsyncDisposable
{
    const ushort KeepAliveSeconds = 60;
    const int PacketBytesMax = 256 << 20;

    readonly SemaphoreSlim sending = new(1);
    readonly CancellationTokenSource ending = new();

    /// <summary>QoS 2 messages that were shown and are not released: they are not shown again.</summary>
    readonly HashSet<ushort> shown = [];
    byte[] buffer = new byte[4096];
    int filled;
    int used;
    ushort lastId;

    /// <param name="clientId">Empty for one that the platform makes.</param>
    /// <exception cref="FailedException">The platform refuses.</exception>
    public async Task Open(string clientId, CancellationToken cancel)
    {
        await Send(b => new ConnectPacket { Version = MqttVersion.V5, CleanStart = true, KeepAliveSeconds = KeepAliveSeconds, ClientId = clientId }.Write(b));
        var answer = ConnAckPacket.Read(await Expect(PacketType.ConnAck, cancel), MqttVersion.V5);
        if (answer.Code != 0)
            throw Refused("the connection", (ReasonCode)answer.Code, answer.Properties?.ReasonString);
        _ = Ping();
    }

    /// <summary>Publishes, and returns when the platform has taken it over, as far as the QoS tells.</summary>
    /// <exception cref="FailedException">The platform refuses.</exception>
    public async Task Publish(string topic, ReadOnlyMemory<byte> payload, int qos, bool retain, CancellationToken cancel)
    {
        var id = qos == 0 ? (ushort)0 : ++lastId;
        await Send(b => PublishPacket.Write(b, MqttVersion.V5, topic, payload.Span, qos, retain, false, id, null));
        if (qos == 0)
            return;
        var answer = AcknowledgePacket.Read(await Expect(qos == 1 ? PacketType.PubAck : PacketType.PubRec, cancel), MqttVersion.V5);
        if (answer.Reason >= ReasonCode.UnspecifiedError)
            throw Refused($"the message to {topic}", answer.Reason, answer.Why);
        if (qos == 1)
            return;
        await Send(b => new AcknowledgePacket(id, ReasonCode.Success).Write(b, PacketType.PubRel, MqttVersion.V5));
        await Expect(PacketType.PubComp, cancel);
    }

    /// <exception cref="FailedException">The platform refuses.</exception>
    public async Task Subscribe(IReadOnlyList<string> filters, int qos, CancellationToken cancel)
    {
        var id = ++lastId;
        await Send(b => new SubscribePacket(id, [.. filters.Select(f => new SubscribeEntry(f, qos))], null).Write(b, MqttVersion.V5));
        var answer = SubAckPacket.Read(await Expect(PacketType.SubAck, cancel), MqttVersion.V5);
        for (var i = 0; i < answer.Reasons.Count; i++)
        {
            if (answer.Reasons[i] >= ReasonCode.UnspecifiedError)
                throw Refused($"the subscription to {filters[i]}", answer.Reasons[i], answer.Why);
        }
    }

    /// <summary>The next message. What was asked for before is answered already.</summary>
    public async Task<Heard> Hear(CancellationToken cancel)
    {
        while (true)
        {
            var (first, body) = await Read(cancel);
            if (await Take(first, body) is { } heard)
                return heard;
        }
    }

    async Task<byte[]> Expect(PacketType type, CancellationToken cancel)
    {
        while (true)
        {
            var (first, body) = await Read(cancel);
            if ((PacketType)(first >> 4) == type)
                return body;
            if (await Take(first, body) is { } early)
                waiting.Enqueue(early);
        }
    }

    readonly Queue<Heard> waiting = new();

    /// <summary>A message that came while something else was awaited; null when there is none.</summary>
    public Heard? Waiting => waiting.TryDequeue(out var heard) ? heard : null;

    async Task<Heard?> Take(byte first, byte[] body)
    {
        switch ((PacketType)(first >> 4))
        {
            case PacketType.Publish:
                var (message, id) = Decode(first, body);
                if (message.QoS > 0)
                    await Send(b => new AcknowledgePacket(id, ReasonCode.Success).Write(b, message.QoS == 1 ? PacketType.PubAck : PacketType.PubRec, MqttVersion.V5));
                return message.QoS < 2 || shown.Add(id) ? message : null;
            case PacketType.PubRel:
                var release = AcknowledgePacket.Read(body, MqttVersion.V5);
                shown.Remove(release.PacketId);
                await Send(b => new AcknowledgePacket(release.PacketId, ReasonCode.Success).Write(b, PacketType.PubComp, MqttVersion.V5));
                return null;
            case PacketType.Disconnect:
                var goodbye = DisconnectPacket.Read(body, MqttVersion.V5);
                throw new FailedException($"The platform ended the connection: {goodbye.Reason}{(goodbye.Properties?.ReasonString is { } why ? $" ({why})" : "")}.");
            default:
                return null;
        }
    }

    static (Heard Message, ushort Id) Decode(byte first, byte[] body)
    {
        using var whole = new PacketBuffer(body.Length + 8);
        whole.Byte(first);
        var mark = whole.BeginLength();
        whole.Raw(body);
        whole.EndLength(mark);
        var bytes = whole.Written.Span;
        Frame.TryRead(ref bytes, PacketBytesMax, out var frame);
        var packet = PublishPacket.Read(frame, MqttVersion.V5);
        return (new(System.Text.Encoding.UTF8.GetString(packet.Topic), packet.Payload.ToArray(), packet.QoS, packet.Retain), packet.PacketId);
    }

    async Task<(byte First, byte[] Body)> Read(CancellationToken cancel)
    {
        while (true)
        {
            if (TryTake() is { } packet)
                return packet;
            buffer.AsSpan(used, filled - used).CopyTo(buffer);
            (filled, used) = (filled - used, 0);
            if (filled == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var read = await stream.ReadAsync(buffer.AsMemory(filled), cancel);
            if (read == 0)
                throw new FailedException("The platform closed the connection.");
            filled += read;
        }
    }

    (byte, byte[])? TryTake()
    {
        ReadOnlySpan<byte> rest = buffer.AsSpan(used, filled - used);
        var before = rest.Length;
        if (!Frame.TryRead(ref rest, PacketBytesMax, out var frame))
            return null;
        used += before - rest.Length;
        return (frame.First, frame.Body.ToArray());
    }

    async Task Send(Action<PacketBuffer> write)
    {
        using var packet = new PacketBuffer(512);
        write(packet);
        await sending.WaitAsync(ending.Token);
        try
        {
            await stream.WriteAsync(packet.Written, ending.Token);
            await stream.FlushAsync(ending.Token);
        }
        finally
        {
            sending.Release();
        }
    }

    async Task Ping()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(KeepAliveSeconds * 0.75), time);
        try
        {
            while (await timer.WaitForNextTickAsync(ending.Token))
                await Send(b => b.Raw(PingPacket.Request));
        }
        catch (Exception over) when (over is OperationCanceledException or IOException or NotSupportedException or InvalidOperationException or System.Net.WebSockets.WebSocketException)
        {
            // The reading side says what became of the connection.
        }
    }

    static FailedException Refused(string what, ReasonCode reason, string? why) => new($"The platform refuses {what}: {reason}{(why is null ? "" : $" ({why})")}.");

    /// <summary>Says goodbye and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Send(b => new DisconnectPacket(ReasonCode.Success, null).Write(b, MqttVersion.V5)).WaitAsync(TimeSpan.FromSeconds(2), time);
        }
        catch (Exception failure) when (failure is IOException or TimeoutException or OperationCanceledException or NotSupportedException or InvalidOperationException or System.Net.WebSockets.WebSocketException)
        {
            // It is gone already.
        }
        await ending.CancelAsync();
        await stream.DisposeAsync();
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Broker;

/// <summary>What a test wants of its CONNECT.</summary>
sealed class TestConnect
{
    /// <summary>The user name.</summary>
    public string? Account { get; set; } = "111111111111";
    public string? Password { get; set; } = "secret";
    public MqttVersion Version { get; set; } = MqttVersion.V311;
    public bool CleanStart { get; set; } = true;
    public ushort KeepAlive { get; set; } = 60;
    public WillMessage? Will { get; set; }
    public PacketProperties? Properties { get; set; }

    /// <summary>Expect a refusal instead of a session.</summary>
    public bool MayFail { get; set; }
}

/// <summary>A message as a client got it.</summary>
sealed record Got(string Topic, string Payload, int QoS, bool Retain, bool Duplicate, ushort PacketId, PacketProperties? Properties)
{
    /// <summary>The payload when it is no text.</summary>
    public byte[] Bytes { get; init; } = [];
}

/// <summary>An MQTT client that shows each packet. It acknowledges nothing by itself.</summary>
sealed class TestClient : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    readonly TcpClient tcp = new();
    Stream? stream;
    readonly Queue<Got> messages = new();
    byte[] pending = [];
    MqttVersion version;

    public ConnAckPacket Answer { get; private set; } = null!;

    public static async Task<TestClient> Open(int port, MqttVersion version = MqttVersion.V311)
    {
        var client = new TestClient { version = version };
        await client.tcp.ConnectAsync(IPAddress.Loopback, port);
        client.tcp.NoDelay = true;
        return client;
    }

    /// <summary>Connects over a stream that a test opened by itself, such as one of TLS or WebSocket.</summary>
    public static Task<TestClient> Over(Stream stream, string clientId, Action<TestConnect>? change = null) =>
        Connect(new TestClient { stream = stream }, clientId, change);

    public static async Task<TestClient> Connect(int port, string clientId, Action<TestConnect>? change) => await Connect(await Open(port), clientId, change);

    static async Task<TestClient> Connect(TestClient client, string clientId, Action<TestConnect>? change)
    {
        var wish = new TestConnect();
        change?.Invoke(wish);
        client.version = wish.Version;
        await client.Send(b => new ConnectPacket
        {
            Version = wish.Version, CleanStart = wish.CleanStart, KeepAliveSeconds = wish.KeepAlive, ClientId = clientId, Will = wish.Will,
            UserName = wish.Account, Password = wish.Password is { } password ? Encoding.UTF8.GetBytes(password) : null, Properties = wish.Properties,
        }.Write(b));
        var (first, body) = await client.Packet();
        Assert.Equal(PacketType.ConnAck, (PacketType)(first >> 4));
        client.Answer = ConnAckPacket.Read(body, wish.Version);
        if (!wish.MayFail)
            Assert.Equal(0, client.Answer.Code);
        return client;
    }

    public async Task Send(Action<PacketBuffer> write)
    {
        using var buffer = new PacketBuffer();
        write(buffer);
        await Raw(buffer.Written);
    }

    public async Task Raw(ReadOnlyMemory<byte> bytes) => await Stream.WriteAsync(bytes);

    public Task Publish(string topic, string payload, int qos = 0, bool retain = false, ushort id = 1, PacketProperties? properties = null) =>
        Publish(topic, Encoding.UTF8.GetBytes(payload), qos, retain, id, properties);

    public Task Publish(string topic, byte[] payload, int qos = 0, bool retain = false, ushort id = 1, PacketProperties? properties = null) =>
        Send(b => PublishPacket.Write(b, version, topic, payload, qos, retain, false, id, properties));

    /// <summary>Publishes with QoS 1 and waits for the acknowledgement.</summary>
    public async Task<ReasonCode> PublishSurely(string topic, string payload, bool retain = false, ushort id = 1)
    {
        await Publish(topic, payload, 1, retain, id);
        var ack = AcknowledgePacket.Read(await Expect(PacketType.PubAck), version);
        Assert.Equal(id, ack.PacketId);
        return ack.Reason;
    }

    public async Task<IReadOnlyList<ReasonCode>> Subscribe(params SubscribeEntry[] entries)
    {
        await Send(b => new SubscribePacket(9, entries, null).Write(b, version));
        return SubAckPacket.Read(await Expect(PacketType.SubAck), version).Reasons;
    }

    public Task<IReadOnlyList<ReasonCode>> Subscribe(string filter, int qos = 0) => Subscribe(new SubscribeEntry(filter, qos));

    public async Task Unsubscribe(params string[] filters)
    {
        await Send(b => new UnsubscribePacket(10, filters).Write(b, version));
        await Expect(PacketType.UnsubAck);
    }

    public Task Acknowledge(ushort id) => Send(b => new AcknowledgePacket(id, ReasonCode.Success).Write(b, PacketType.PubAck, version));

    public Task Disconnect(ReasonCode reason = ReasonCode.Success) => Send(b => new DisconnectPacket(reason, null).Write(b, version));

    /// <summary>The next message; those that came while something else was awaited come first.</summary>
    public async Task<Got> Message()
    {
        if (messages.TryDequeue(out var waiting))
            return waiting;
        var (first, body) = await Packet();
        Assert.Equal(PacketType.Publish, (PacketType)(first >> 4));
        return Read(first, body);
    }

    /// <summary>Messages that came while something else was awaited.</summary>
    public int Waiting => messages.Count;

    public async Task<string> Payload() => (await Message()).Payload;

    /// <summary>Asserts that no message came up to now: the answer to a ping overtakes nothing.</summary>
    public async Task Nothing()
    {
        await Ping();
        Assert.Empty(messages);
    }

    public async Task Ping()
    {
        await Raw(PingPacket.Request.ToArray());
        await Expect(PacketType.PingResp);
    }

    /// <summary>Waits until the server has closed, and answers the reason it gave, if any.</summary>
    public async Task<ReasonCode?> Closed()
    {
        ReasonCode? reason = null;
        try
        {
            while (await TryPacket() is { } packet)
            {
                if ((PacketType)(packet.First >> 4) == PacketType.Disconnect)
                    reason = DisconnectPacket.Read(packet.Body, version).Reason;
                else if ((PacketType)(packet.First >> 4) == PacketType.Publish)
                    messages.Enqueue(Read(packet.First, packet.Body));
            }
        }
        catch (IOException)
        {
            // A reset is a close as well.
        }
        return reason;
    }

    /// <summary>Waits until the server has closed, and answers the code of the CONNACK it sent, if any; nothing else may come.</summary>
    public async Task<int?> ClosedAfter()
    {
        int? code = null;
        try
        {
            while (await TryPacket() is { } packet)
            {
                Assert.Equal(PacketType.ConnAck, (PacketType)(packet.First >> 4));
                Assert.Null(code);
                var answer = ConnAckPacket.Read(packet.Body, packet.Body.Length > 2 ? MqttVersion.V5 : MqttVersion.V311);
                Assert.False(answer.SessionPresent);
                code = answer.Code;
            }
        }
        catch (IOException)
        {
            // A reset is a close as well.
        }
        return code;
    }

    public async Task<byte[]> Expect(PacketType type)
    {
        while (true)
        {
            var (first, body) = await Packet();
            if ((PacketType)(first >> 4) == type)
                return body;
            Assert.Equal(PacketType.Publish, (PacketType)(first >> 4));
            messages.Enqueue(Read(first, body));
        }
    }

    Got Read(byte first, byte[] body)
    {
        using var buffer = new PacketBuffer();
        buffer.Byte(first);
        var mark = buffer.BeginLength();
        buffer.Raw(body);
        buffer.EndLength(mark);
        var bytes = buffer.Written.Span;
        Assert.True(Frame.TryRead(ref bytes, int.MaxValue, out var frame));
        var packet = PublishPacket.Read(frame, version);
        return new(Encoding.UTF8.GetString(packet.Topic), Encoding.UTF8.GetString(packet.Payload), packet.QoS, packet.Retain, packet.Duplicate, packet.PacketId, packet.Properties)
        {
            Bytes = packet.Payload.ToArray(),
        };
    }

    async Task<(byte First, byte[] Body)> Packet() => await TryPacket() ?? throw new IOException("The server closed the connection.");

    async Task<(byte First, byte[] Body)?> TryPacket()
    {
        using var patience = new CancellationTokenSource(Patience);
        var buffer = new byte[4096];
        while (true)
        {
            if (TryFrame() is { } packet)
                return packet;
            var count = await Stream.ReadAsync(buffer, patience.Token);
            if (count == 0)
                return null;
            pending = [.. pending, .. buffer.AsSpan(0, count)];
        }
    }

    (byte First, byte[] Body)? TryFrame()
    {
        ReadOnlySpan<byte> bytes = pending;
        if (!Frame.TryRead(ref bytes, int.MaxValue, out var frame))
            return null;
        var packet = (frame.First, frame.Body.ToArray());
        pending = bytes.ToArray();
        return packet;
    }

    Stream Stream => stream ??= tcp.GetStream();

    /// <summary>The next packet, whatever it is, for tests that keep an eye on all; null when the server closed.</summary>
    public Task<(byte First, byte[] Body)?> Next() => TryPacket();

    /// <summary>Says that nothing more comes from this side.</summary>
    public void HangUp() => tcp.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Breaks the connection without a word.</summary>
    public void Break()
    {
        tcp.LingerState = new(true, 0);
        tcp.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (stream is not null)
            await stream.DisposeAsync();
        tcp.Dispose();
    }
}

using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Simulator;

/// <summary>How a device reaches its broker.</summary>
/// <param name="Host">The name that the server's certificate must bear.</param>
/// <param name="Root">The CA that the server's certificate must come from; no other is trusted.</param>
/// <param name="Certificate">The device's certificate with its key.</param>
public sealed record DeviceAddress(string Host, int Port, X509Certificate2 Root, X509Certificate2 Certificate);

/// <summary>
/// One MQTT 5 connection over mutual TLS, from CONNECT to its end. Sends from any thread, one packet at a time; QoS 1 publishes complete when
/// they are acknowledged.
/// </summary>
public sealed class DeviceClient : IAsyncDisposable
{
    static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);
    static readonly SslApplicationProtocol Alpn = new("x-amzn-mqtt-ca");
    const ushort KeepAliveSeconds = 60;

    /// <summary>A server from which nothing came for so long, not even the answer to a ping, is gone: what MQTT allows the other side, too.</summary>
    static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(KeepAliveSeconds * 1.5);
    const int PacketBytesMax = 256 * 1024;

    readonly TcpClient tcp;
    readonly SslStream stream;
    readonly TimeProvider time;
    readonly SemaphoreSlim sending = new(1);
    readonly Dictionary<ushort, TaskCompletionSource<ReasonCode>> waiting = [];
    readonly CancellationTokenSource ending = new();
    ushort lastId;
    long heardAt;

    DeviceClient(TcpClient tcp, SslStream stream, TimeProvider time) =>
        (this.tcp, this.stream, this.time, heardAt) = (tcp, stream, time, time.GetTimestamp());

    /// <summary>Told of each message that comes, on the reading task.</summary>
    public event Action<string, byte[]>? Received;

    /// <summary>Ends when the connection does: faulted when it broke.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <exception cref="IOException">The server cannot be reached, is not who it should be, or refuses.</exception>
    public static async Task<DeviceClient> Connect(DeviceAddress address, string clientId, WillMessage? will, TimeProvider time, CancellationToken cancel)
    {
        var tcp = new TcpClient { NoDelay = true };
        SslStream? stream = null;
        using var deadline = new CancellationTokenSource(AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        try
        {
            await tcp.ConnectAsync(address.Host, address.Port, either.Token);
            stream = new SslStream(tcp.GetStream());
            await stream.AuthenticateAsClientAsync(Tls(address), either.Token);
            var client = new DeviceClient(tcp, stream, time);
            await client.Open(clientId, will, either.Token);
            return client;
        }
        catch (Exception failure)
        {
            if (stream is not null)
                await stream.DisposeAsync();
            tcp.Dispose();
            if (failure is IOException || cancel.IsCancellationRequested)
                throw;
            var why = deadline.IsCancellationRequested ? $"nobody answered within {AnswerTimeout.TotalSeconds} s." : failure.Message;
            throw new IOException($"Cannot connect to {address.Host}:{address.Port}: {why}", failure);
        }
    }

    static SslClientAuthenticationOptions Tls(DeviceAddress address) => new()
    {
        TargetHost = address.Host,
        ClientCertificates = [address.Certificate],
        ApplicationProtocols = [Alpn],
        CertificateChainPolicy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { address.Root },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
    };

    async Task Open(string clientId, WillMessage? will, CancellationToken cancel)
    {
        await Send(b => new ConnectPacket { Version = MqttVersion.V5, CleanStart = true, KeepAliveSeconds = KeepAliveSeconds, ClientId = clientId, Will = will }.Write(b));
        var packets = Read().GetAsyncEnumerator(cancel);
        if (!await packets.MoveNextAsync().AsTask().WaitAsync(cancel) || packets.Current.Type != PacketType.ConnAck)
            throw new IOException("The server did not answer CONNECT with CONNACK.");
        var answer = ConnAckPacket.Read(packets.Current.Body, MqttVersion.V5);
        if (answer.Code != 0)
            throw new IOException($"The server refuses client '{clientId}': {(ReasonCode)answer.Code}.");
        Ended = Task.WhenAny(Take(packets), Ping()).Unwrap();
    }

    /// <summary>Publishes; with QoS 1 the answer is the broker's.</summary>
    public async Task<ReasonCode> Publish(string topic, ReadOnlyMemory<byte> payload, int qos, CancellationToken cancel)
    {
        if (qos == 0)
        {
            await Send(b => PublishPacket.Write(b, MqttVersion.V5, topic, payload.Span, 0, false, false, 0, null));
            return ReasonCode.Success;
        }
        return await Ask(id => b => PublishPacket.Write(b, MqttVersion.V5, topic, payload.Span, 1, false, false, id, null), cancel);
    }

    public Task<ReasonCode> Subscribe(string filter, int qos, CancellationToken cancel) =>
        Ask(id => b => new SubscribePacket(id, [new(filter, qos)], null).Write(b, MqttVersion.V5), cancel);

    async Task<ReasonCode> Ask(Func<ushort, Action<PacketBuffer>> packet, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<ReasonCode>(TaskCreationOptions.RunContinuationsAsynchronously);
        ushort id;
        lock (waiting)
        {
            do
                id = lastId = lastId == ushort.MaxValue ? (ushort)1 : (ushort)(lastId + 1);
            while (!waiting.TryAdd(id, answer));
        }
        try
        {
            await Send(packet(id));
            return await answer.Task.WaitAsync(AnswerTimeout, time, cancel);
        }
        finally
        {
            lock (waiting)
                waiting.Remove(id);
        }
    }

    async Task Send(Action<PacketBuffer> write)
    {
        using var buffer = new PacketBuffer(512);
        write(buffer);
        await sending.WaitAsync(ending.Token);
        try
        {
            await stream.WriteAsync(buffer.Written, ending.Token);
        }
        finally
        {
            sending.Release();
        }
    }

    async Task Ping()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(KeepAliveSeconds * 0.75), time);
        while (await timer.WaitForNextTickAsync(ending.Token))
        {
            var silence = time.GetElapsedTime(Volatile.Read(ref heardAt));
            if (silence >= SilenceMax)
                throw new IOException($"Nothing came from the server for {silence.TotalSeconds:0} s.");
            await Send(b => b.Raw(PingPacket.Request));
        }
    }

    async Task Take(IAsyncEnumerator<(PacketType Type, int Flags, byte[] Body)> packets)
    {
        await using var owned = packets;
        try
        {
            while (await packets.MoveNextAsync())
                await Take(packets.Current);
        }
        catch (MalformedPacketException malformed)
        {
            throw new IOException($"The server sent what is no MQTT: {malformed.Message}", malformed);
        }
        throw new IOException("The server closed the connection.");
    }

    async Task Take((PacketType Type, int Flags, byte[] Body) packet)
    {
        switch (packet.Type)
        {
            case PacketType.Publish:
                await Hear(packet.Flags, packet.Body);
                break;
            case PacketType.PubAck:
                Answer(AcknowledgePacket.Read(packet.Body, MqttVersion.V5));
                break;
            case PacketType.SubAck:
                var granted = SubAckPacket.Read(packet.Body, MqttVersion.V5);
                // We never ask for more than one filter at a time.
                Answer(new(granted.PacketId, granted.Reasons is [var only] ? only : ReasonCode.ProtocolError));
                break;
            case PacketType.Disconnect:
                throw new IOException($"The server disconnects: {DisconnectPacket.Read(packet.Body, MqttVersion.V5).Reason}.");
        }
    }

    void Answer(AcknowledgePacket answer)
    {
        lock (waiting)
        {
            if (waiting.TryGetValue(answer.PacketId, out var asked))
                asked.TrySetResult(answer.Reason);
        }
    }

    async Task Hear(int flags, byte[] body)
    {
        var whole = new PacketBuffer(body.Length + 8);
        whole.Byte((byte)(((int)PacketType.Publish << 4) | flags));
        var mark = whole.BeginLength();
        whole.Raw(body);
        whole.EndLength(mark);
        var (topic, payload, id) = Decode(whole.Written.Span);
        Received?.Invoke(topic, payload);
        if (id != 0)
            await Send(b => new AcknowledgePacket(id, ReasonCode.Success).Write(b, PacketType.PubAck, MqttVersion.V5));
    }

    static (string Topic, byte[] Payload, ushort Id) Decode(ReadOnlySpan<byte> bytes)
    {
        Frame.TryRead(ref bytes, PacketBytesMax, out var frame);
        var packet = PublishPacket.Read(frame, MqttVersion.V5);
        return (System.Text.Encoding.UTF8.GetString(packet.Topic), packet.Payload.ToArray(), packet.PacketId);
    }

    async IAsyncEnumerable<(PacketType Type, int Flags, byte[] Body)> Read()
    {
        var buffer = new byte[4096];
        var filled = 0;
        while (true)
        {
            var used = 0;
            while (TryTake(buffer.AsSpan(used, filled - used), out var packet, out var bytes))
            {
                used += bytes;
                yield return packet;
            }
            buffer.AsSpan(used, filled - used).CopyTo(buffer);
            filled -= used;
            if (filled == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var read = await stream.ReadAsync(buffer.AsMemory(filled), ending.Token);
            if (read == 0)
                yield break;
            Volatile.Write(ref heardAt, time.GetTimestamp());
            filled += read;
        }
    }

    static bool TryTake(ReadOnlySpan<byte> bytes, out (PacketType, int, byte[]) packet, out int used)
    {
        packet = default;
        used = 0;
        var rest = bytes;
        if (!Frame.TryRead(ref rest, PacketBytesMax, out var frame))
            return false;
        packet = (frame.Type, frame.Flags, frame.Body.ToArray());
        used = bytes.Length - rest.Length;
        return true;
    }

    /// <summary>Says goodbye, so that no will is published, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Send(b => new DisconnectPacket(ReasonCode.Success, null).Write(b, MqttVersion.V5)).WaitAsync(TimeSpan.FromSeconds(1), time);
        }
        catch (Exception failure) when (failure is IOException or TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            // It is gone already.
        }
        await ending.CancelAsync();
        await stream.DisposeAsync();
        tcp.Dispose();
        _ = Ended.ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
        ending.Dispose();
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Sockets;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Broker;

/// <summary>
/// One client's connection. Its read loop parses all that has arrived, routes it, and only then flushes; packets that need storage or the
/// authority (CONNECT, SUBSCRIBE, UNSUBSCRIBE) are handled between such batches, in their place.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The scratch buffer lives as long as the read loop, whose end is the connection's.")]
sealed partial class MqttConnection(MqttBroker broker, IDeviceAuthority authority, ClientTransport transport)
{
    /// <summary>How long a client may take to read why it is being left.</summary>
    static readonly TimeSpan GoodbyeMax = TimeSpan.FromSeconds(2);

    /// <summary>How long at a time a client waits that publishes too fast; an end of the connection is seen then.</summary>
    static readonly TimeSpan PaceStep = TimeSpan.FromSeconds(1);

    readonly ClientOutput output = new(transport.Output, broker.Options.OutputBytesMax);
    readonly FlushList flush = new();
    readonly List<Owed> owed = [];
    readonly KnownTopics topics = new(broker.Options, broker.Served);
    readonly PublishPace? pace = PublishPace.For(broker.Options, broker.Time);
    readonly DateTimeOffset opened = broker.Time.GetUtcNow();
    MqttVersion version = MqttVersion.V311;
    DeviceSession? device;
    AccountTopics? space;
    Session? session;
    WillMessage? will;
    TimeSpan keepAlive;
    long heard = broker.Time.GetTimestamp();
    long received;
    long pacedMessages;
    volatile bool slowed;
    volatile int ended;
    string? leaving;
    string? endReason;
    Task lastBytes = Task.CompletedTask;
    bool saidGoodbye;

    public AccountId Account => device?.Principal.Account ?? AccountId.Platform;
    public Session? Session => session;
    public string RemoteAddress => transport.RemoteAddress;
    public string PrincipalId => device?.Principal.Id ?? "";

    /// <summary>Which of its client id's connections this is.</summary>
    public long ConnectNumber { get; private set; }
    public long MessagesOut => Volatile.Read(ref sent);

    BrokerOptions Options => broker.Options;
    bool IsV5 => version == MqttVersion.V5;

    /// <summary>Serves the client until either side ends the connection.</summary>
    public async Task Run()
    {
        broker.Sessions.Opened(this);
        var (reason, why) = (ReasonCode.Success, DisconnectReasons.ConnectionLost);
        string? text = null;
        try
        {
            await ReadAll();
        }
        catch (MalformedPacketException malformed)
        {
            LogMalformed(broker.Logger, session?.ClientId, RemoteAddress, malformed.Message);
            (reason, why) = (malformed.Reason, malformed.Reason == ReasonCode.NotAuthorized ? DisconnectReasons.AuthError : DisconnectReasons.ClientError);
            (endReason, text) = (null, malformed.Message);
            if (device is null)
                Refuse(reason, malformed.Message);
        }
        catch (NotKeptException failure)
        {
            LogStorage(broker.Logger, session?.ClientId, failure.Message);
            (reason, why) = (ReasonCode.ServerUnavailable, DisconnectReasons.ServerError);
        }
        catch (Exception failure) when (ended != 0 || failure is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The stream broke, or was broken by End.
            LogBroken(broker.Logger, session?.ClientId, RemoteAddress, failure.Message);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailure(broker.Logger, session?.ClientId, failure);
            (reason, why) = (ReasonCode.UnspecifiedError, DisconnectReasons.ServerError);
        }
        finally
        {
            await LeaveLoop();
            await End(reason, endReason ?? why, inGate: false, text);
            await lastBytes;
        }
    }

    async Task ReadAll()
    {
        var input = transport.Input;
        while (ended == 0)
        {
            var result = await input.ReadAsync();
            var consumed = await Handle(result.Buffer);
            // Whole packets count, not bytes that drip. [MQTT-3.1.2-22]
            bytesIn += consumed;
            if (consumed > 0)
                heard = broker.Time.GetTimestamp();
            input.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.End);
            if (result.IsCompleted && transport.SaidGoodbye())
                LeaveQuietly();
            if (saidGoodbye || result.IsCompleted || result.IsCanceled)
                return;
            await output.Relief();
            if (pace is not null)
                await Slow(pace, consumed);
        }
    }

    /// <summary>Handles every whole packet that has arrived and answers how many bytes they had.</summary>
    async ValueTask<long> Handle(ReadOnlySequence<byte> buffer)
    {
        var consumed = 0L;
        while (true)
        {
            var (bytes, later) = Process(buffer.Slice(consumed));
            consumed += bytes;
            Count();
            flush.FlushSoon();
            if (owed.Count > 0)
                await AcknowledgeOwed();
            if (later is null || ended != 0)
                return consumed;
            await LeaveLoop();
            await Handle(later);
            flush.Flush();
            if (saidGoodbye)
                return consumed;
        }
    }

    /// <summary>What may take longer must not run on an event loop's thread.</summary>
    static async ValueTask LeaveLoop()
    {
        if (EventLoop.Current is not null)
            await Task.Yield();
    }

    (int Bytes, object? Later) Process(ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment)
            return Process(buffer.FirstSpan);
        var length = checked((int)buffer.Length);
        var joined = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            buffer.CopyTo(joined);
            return Process(joined.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined);
        }
    }

    /// <summary>Handles packets until one must wait for something; that one is answered, taken out of the buffer.</summary>
    (int Bytes, object? Later) Process(ReadOnlySpan<byte> buffer)
    {
        var rest = buffer;
        while (ended == 0 && !saidGoodbye)
        {
            var ahead = rest;
            if (!Frame.TryRead(ref rest, Options.PacketBytesMax, out var frame))
                break;
            if (Take(frame, ahead, ref rest) is { } later)
                return (buffer.Length - rest.Length, later);
        }
        return (buffer.Length - rest.Length, null);
    }

    /// <summary>Acts on one packet, or answers it for later.</summary>
    /// <param name="ahead">What was read, from the packet's first byte.</param>
    /// <param name="rest">What is behind the packet; a run of messages takes more than one packet off.</param>
    object? Take(scoped in Frame frame, ReadOnlySpan<byte> ahead, ref ReadOnlySpan<byte> rest)
    {
        frame.CheckFlags();
        trace?.In(frame);
        if (device is null)
        {
            if (frame.Type == PacketType.Connect)
                version = ConnectPacket.VersionOf(frame.Body);
            return frame.Type == PacketType.Connect ? ConnectPacket.Read(frame.Body)
                : throw new MalformedPacketException(ReasonCode.ProtocolError, $"The first packet is {frame.Type} and must be CONNECT. [MQTT-3.1.0-1]");
        }
        switch (frame.Type)
        {
            case PacketType.Publish:
                TakePublish(frame, ahead, ref rest);
                return null;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                TakeAcknowledgement(frame.Type, AcknowledgePacket.Read(frame.Body, version));
                return null;
            case PacketType.PingReq:
                output.TryAdd(PingPacket.Response, flush, mayDrop: false);
                return null;
            case PacketType.Subscribe:
                return SubscribePacket.Read(frame.Body, version);
            case PacketType.Unsubscribe:
                return UnsubscribePacket.Read(frame.Body, version);
            case PacketType.Disconnect:
                TakeDisconnect(DisconnectPacket.Read(frame.Body, version));
                return null;
            case PacketType.Auth when IsV5:
                AuthPacket.Read(frame.Body);
                throw new MalformedPacketException(ReasonCode.ProtocolError, "AUTH without an authentication method in CONNECT. [MQTT-4.12.0-7]");
            default:
                throw new MalformedPacketException(ReasonCode.ProtocolError, $"A {frame.Type} packet is not expected here.");
        }
    }

    Task Handle(object packet) => packet switch
    {
        ConnectPacket connect => Connect(connect),
        SubscribePacket subscribe => Subscribe(subscribe),
        UnsubscribePacket unsubscribe => Unsubscribe(unsubscribe),
        _ => throw new InvalidOperationException($"{packet.GetType().Name} does not wait."),
    };

    void TakeDisconnect(DisconnectPacket packet)
    {
        if (packet.Properties?.SessionExpirySeconds is { } seconds)
        {
            // [MQTT-3.14.2-2]: what was zero at CONNECT stays zero.
            if (seconds > 0 && !session!.IsPersistent)
                throw new MalformedPacketException(ReasonCode.ProtocolError, "DISCONNECT asks to keep a session that CONNECT asked not to keep.");
            session!.Expiry = Shorter(TimeSpan.FromSeconds(seconds), Options.SessionExpiryMax);
        }
        saidGoodbye = true;
        endReason = DisconnectReasons.ClientInitiated;
        // Every other reason is a trouble that the will is for. [MQTT-3.14.4-3]
        if (packet.Reason == ReasonCode.Success)
            ForgetWill();
    }

    /// <summary>The close of a WebSocket counts as the client's DISCONNECT ("Lifecycle events").</summary>
    void LeaveQuietly()
    {
        endReason ??= DisconnectReasons.ClientInitiated;
        ForgetWill();
    }

    void Count()
    {
        if (received == 0)
            return;
        broker.Metrics.AddReceived(received);
        MessagesIn += received;
        received = 0;
    }

    long MessagesIn { get; set; }

    static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    public PresenceChange Presence(DateTimeOffset at, string? disconnectReason) =>
        new(device!, at, disconnectReason, Describe(), transport.Origin.LocalEndPoint, ConnectNumber);

    public ConnectionInfo Describe() => new()
    {
        ClientId = session?.ClientId ?? "",
        PrincipalArn = device?.Principal.Arn ?? "",
        ProtocolName = (IsV5 ? "MQTT 5" : "MQTT 3.1.1") + (transport.Origin.Http is null ? "" : ", WebSocket") + (transport.Origin.IsSecure ? ", TLS" : ""),
        RemoteAddress = RemoteAddress,
        ConnectedAt = opened,
        CleanStart = cleanStart,
        KeepAlive = keepAlive,
        SessionExpiry = session?.Expiry ?? TimeSpan.Zero,
        Subscriptions = session?.SubscriptionCount ?? 0,
        MessagesIn = MessagesIn,
        MessagesOut = MessagesOut,
        BytesIn = BytesIn,
        BytesOut = output.Written,
        InFlight = session?.InFlightCount ?? 0,
        Queued = session?.QueuedCount ?? 0,
        QueuedBytes = session?.QueuedBytes ?? 0,
        UnsentBytes = output.Unsent,
        Dropped = session?.Dropped ?? 0,
    };

    /// <summary>Once a second: ends the connection if the client fell silent [MQTT-3.1.2-22], and gives back what an idle one does not need.</summary>
    public void CheckSilence()
    {
        output.Rest();
        if (slowed)
            return;
        var silence = broker.Time.GetElapsedTime(heard);
        if (device is null ? silence > Options.ConnectTimeout : keepAlive > TimeSpan.Zero && silence > keepAlive * 1.5)
            _ = Close(ReasonCode.KeepAliveTimeout, DisconnectReasons.KeepAliveTimeout);
    }

    /// <summary>The will is not published, however the connection ends.</summary>
    public void ForgetWill() => Interlocked.Exchange(ref will, null);

    /// <summary>Ends the connection from this side.</summary>
    public Task Close(ReasonCode reason, string why) => End(reason, why, inGate: false);

    /// <summary>Ends the connection because its client id connects again; called by the holder of the client id's gate.</summary>
    public Task GiveWay() => End(ReasonCode.SessionTakenOver, DisconnectReasons.DuplicateClientId, inGate: true);

    /// <summary>Its will, which stays with it.</summary>
    public WillMessage? Will => will;

    /// <summary>Its will, once.</summary>
    public WillMessage? TakeWill() => Interlocked.Exchange(ref will, null);

    /// <summary>Ends the connection, once: tells the client, lets the session go, publishes the will, says so.</summary>
    /// <param name="inGate">The caller holds the client id's gate; when it returns, the session has let go of the connection.</param>
    /// <param name="text">Tells the people behind the client what they cannot know from the reason.</param>
    async Task End(ReasonCode reason, string why, bool inGate, string? text = null)
    {
        if (Interlocked.CompareExchange(ref leaving, why, null) is not null)
        {
            if (inGate)
                await LetGo(inGate);
            return;
        }
        ended = 1;
        broker.Sessions.Closed(this);
        if (session is { } mine && IsV5 && reason != ReasonCode.Success)
            SayWhy(reason, text);
        lastBytes = HangUp();
        device?.Ended();
        broker.Metrics.AddClosed(MessagesOut, BytesIn, BytesOut);
        await LetGo(inGate);
    }

    void SayWhy(ReasonCode reason, string? text)
    {
        using var buffer = new PacketBuffer(128);
        new DisconnectPacket(reason, text is null ? null : new() { ReasonString = text }).Write(buffer, version);
        if (text is not null && buffer.Length > clientPacketMax)
        {
            buffer.Clear();
            new DisconnectPacket(reason, null).Write(buffer, version);
        }
        if (!(buffer.Length > clientPacketMax))
            output.TryAdd(buffer.Written.Span, flush, mayDrop: false);
    }

    /// <summary>The session lets go of the connection, and the will is taken care of, by whoever comes first: the end itself, or the next connection.</summary>
    async Task LetGo(bool inGate)
    {
        if (session is null)
            return;
        var why = leaving!;
        try
        {
            if (!await broker.Sessions.Leave(session, this, inGate))
                return;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailure(broker.Logger, session.ClientId, failure);
        }
        broker.Events.Disconnected(this, session, why);
        trace?.Note(false, "END", why);
        LogDisconnected(broker.Logger, session.ClientId, Account.Value, why);
    }

    /// <summary>Lets the client wait until it is within its pace again.</summary>
    async Task Slow(PublishPace kept, long bytes)
    {
        var wait = kept.Take(MessagesIn - pacedMessages, bytes);
        pacedMessages = MessagesIn;
        slowed = wait > TimeSpan.Zero;
        for (; wait > TimeSpan.Zero && ended == 0; wait -= PaceStep)
            await Task.Delay(Shorter(wait, PaceStep), broker.Time);
        slowed = false;
        heard = broker.Time.GetTimestamp();
    }

    /// <summary>Lets the last bytes out and ends the read loop, after which the listener closes; a client that does not read is cut off.</summary>
    async Task HangUp()
    {
        await output.Drain(broker.Time);
        output.Close();
        transport.Input.CancelPendingRead();
        _ = CutOff();
    }

    async Task CutOff()
    {
        await Task.Delay(GoodbyeMax, broker.Time);
        transport.Abort();
    }

    [LoggerMessage(10, LogLevel.Information, "Closing client '{ClientId}' at {Remote}: {Why}")]
    static partial void LogMalformed(ILogger logger, string? clientId, string remote, string why);

    [LoggerMessage(11, LogLevel.Error, "Closing client '{ClientId}': what it sent cannot be stored now. {Why}")]
    static partial void LogStorage(ILogger logger, string? clientId, string why);

    [LoggerMessage(12, LogLevel.Debug, "The connection of client '{ClientId}' at {Remote} broke: {Why}")]
    static partial void LogBroken(ILogger logger, string? clientId, string remote, string why);

    [LoggerMessage(14, LogLevel.Error, "Closing client '{ClientId}': its packet could not be handled")]
    static partial void LogFailure(ILogger logger, string? clientId, Exception failure);

    [LoggerMessage(13, LogLevel.Debug, "Client '{ClientId}' of account {Account} disconnected: {Why}")]
    static partial void LogDisconnected(ILogger logger, string clientId, string account, string why);
}

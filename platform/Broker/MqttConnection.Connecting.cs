using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Microsoft.Extensions.Logging;

namespace Althing.Broker;

/// <summary>CONNECT: who is it, may it, and which session is its own.</summary>
sealed partial class MqttConnection
{
    /// <summary>Quota "Client ID size" in UTF-8 bytes.</summary>
    const int ClientIdBytesMax = 128;

    /// <summary>Over how many seconds clients that came too fast are spread.</summary>
    const int RetrySpreadSeconds = 20;

    bool cleanStart;

    async Task Connect(ConnectPacket packet)
    {
        version = packet.Version;
        var clientId = packet.ClientId;
        if (WhyNot(packet) is { } unacceptable)
        {
            Refuse(packet, unacceptable.Reason, unacceptable.Why);
            return;
        }
        if (clientId.Length == 0)
            clientId = Guid.NewGuid().ToString("N");
        var origin = transport.Origin;
        var introduction = new ClientIntroduction(origin, packet.ClientId) { UserName = packet.UserName, Password = packet.Password, SourceIp = SourceIp() };
        if (await authority.Identify(introduction, CancellationToken.None) is not { } principal)
        {
            var reason = origin.IsSecure || origin.Http is not null ? ReasonCode.NotAuthorized : ReasonCode.BadUserNameOrPassword;
            Refuse(packet, reason, origin.Certificate is null ? "nothing that it brought lets it in" : "the certificate is unknown or not active");
            return;
        }
        if (!broker.Rates.TryTake(principal.Account, out var wait))
        {
            // Not all at the same moment, or the next attempt ends like this one.
            var after = (int)Math.Ceiling(wait.TotalSeconds) + Random.Shared.Next(1, RetrySpreadSeconds);
            Refuse(packet, ReasonCode.ConnectionRateExceeded, $"its account's clients connect too fast: try again in {after} s");
            return;
        }
        principal = principal with { SourceIp = SourceIp(), ServerName = origin.ServerName };
        if (await authority.Connect(principal, clientId, CancellationToken.None) is not { } admitted)
        {
            Refuse(packet, ReasonCode.NotAuthorized, "its policies do not allow iot:Connect as this client id");
            return;
        }
        if (packet.Will is { } last && !MayLeave(admitted, last))
        {
            admitted.Ended();
            Refuse(packet, ReasonCode.NotAuthorized, $"its policies do not allow its will to {last.Topic}");
            return;
        }
        // It is not silent while it waits for us.
        slowed = true;
        var recovered = await broker.Sessions.WhenRecovered(principal.Account, clientId);
        heard = broker.Time.GetTimestamp();
        slowed = false;
        if (!recovered)
        {
            admitted.Ended();
            Refuse(packet, ReasonCode.ServerUnavailable, "what waits for it is still being read after a start: try again");
            return;
        }
        device = admitted;
        space = broker.TopicsOf(Account);
        will = packet.Will;
        Source = new(clientId, device!.Principal.Arn);
        cleanStart = packet.CleanStart;
        keepAlive = KeepAlive(packet.KeepAliveSeconds);
        clientPacketMax = packet.Properties?.MaximumPacketSize;
        wantsReasons = packet.Properties?.RequestProblemInformation ?? true;
        if (packet.Properties?.TopicAliasMaximum is > 0 and var most)
            outboundAliases = new(Math.Min(most, Options.OutboundTopicAliasMax));
        ReceiveMaximum = Math.Min(packet.Properties?.ReceiveMaximum ?? ushort.MaxValue, Options.InflightMax);
        slowed = true;
        try
        {
            await broker.Sessions.Open(this, clientId, packet.CleanStart, Expiry(packet), (opened, present) => Admit(packet, clientId, opened, present));
        }
        catch (SessionTable.NotClaimedException why)
        {
            admitted.Ended();
            Refuse(packet, ReasonCode.ServerUnavailable, why.Message);
        }
        heard = broker.Time.GetTimestamp();
        slowed = false;
    }

    static bool MayLeave(DeviceSession device, WillMessage will) =>
        device.Allows(DeviceAction.Publish, will.Topic) && (!will.Retain || device.Allows(DeviceAction.RetainPublish, will.Topic));

    /// <summary>Takes the session over, under its client id's gate: CONNACK first, then what the session owes.</summary>
    void Admit(ConnectPacket packet, string clientId, Session opened, bool present)
    {
        session = opened;
        ResumeTrace(packet, clientId);
        transport.LetIn();
        ConnectNumber = opened.ConnectNumber;
        if (!TryWrite(new ConnAckPacket(present, 0, IsV5 ? Terms(packet, clientId, opened) : null)))
        {
            endReason = DisconnectReasons.ClientError;
            saidGoodbye = true;
            return;
        }
        opened.Attach(this, flush);
        device!.WhenRevoked(() => _ = Close(device!.Cause));
        broker.Events.Connected(this, opened);
        LogConnected(broker.Logger, clientId, Account.Value, device.Principal.Arn, RemoteAddress);
    }

    Task Close(RevocationCause cause) => cause switch
    {
        RevocationCause.CustomAuthorizerTime => Close(ReasonCode.MaximumConnectTime, DisconnectReasons.CustomAuthorizerTime),
        RevocationCause.WebSocketTime => Close(ReasonCode.MaximumConnectTime, DisconnectReasons.WebSocketTime),
        _ => Close(ReasonCode.NotAuthorized, DisconnectReasons.AuthError),
    };

    (ReasonCode Reason, string Why)? WhyNot(ConnectPacket packet)
    {
        var idBytes = Encoding.UTF8.GetByteCount(packet.ClientId);
        if (idBytes > ClientIdBytesMax)
            return (ReasonCode.ClientIdentifierNotValid, $"its client id has {idBytes} bytes; {ClientIdBytesMax} are allowed");
        if (idBytes == 0 && !packet.CleanStart)
            return (ReasonCode.ClientIdentifierNotValid, "it has no client id but asks for its session [MQTT-3.1.3-8]");
        if (packet.Properties?.AuthenticationMethod is not null)
            return (ReasonCode.BadAuthenticationMethod, "enhanced authentication is not supported");
        if (packet.Will is not { } last)
            return null;
        if (last.QoS > Options.QoSMax)
            return (ReasonCode.QoSNotSupported, $"its will asks for QoS {last.QoS}");
        if (TopicRules.WhyNotPublish(last.Topic, Encoding.UTF8.GetByteCount(last.Topic), Options) is { } why)
            return (ReasonCode.TopicNameInvalid, "its will: " + why);
        return last.Payload.Length > Options.PayloadBytesMax ? (ReasonCode.PacketTooLarge, "its will is too large") : null;
    }

    string SourceIp() => System.Net.IPEndPoint.TryParse(RemoteAddress, out var end) ? end.Address.ToString() : RemoteAddress;

    TimeSpan KeepAlive(ushort seconds) =>
        seconds == 0 ? Options.KeepAliveMax : Shorter(TimeSpan.FromSeconds(seconds), Options.KeepAliveMax);

    TimeSpan Expiry(ConnectPacket packet)
    {
        if (!IsV5)
            return packet.CleanStart ? TimeSpan.Zero : Options.SessionExpiryDefault;
        return Shorter(TimeSpan.FromSeconds(packet.Properties?.SessionExpirySeconds ?? 0), Options.SessionExpiryMax);
    }

    /// <summary>What the server grants, where it differs from what the client asked or MQTT presumes.</summary>
    PacketProperties Terms(ConnectPacket packet, string clientId, Session opened) => new()
    {
        SessionExpirySeconds = opened.Expiry.TotalSeconds < (packet.Properties?.SessionExpirySeconds ?? 0) ? (uint)opened.Expiry.TotalSeconds : null,
        MaximumQoS = Options.QoSMax < 2 ? (byte)Options.QoSMax : null,
        MaximumPacketSize = (uint)Options.PacketBytesMax,
        AssignedClientId = packet.ClientId.Length == 0 ? clientId : null,
        ReceiveMaximum = Options.ReceiveMaximum,
        TopicAliasMaximum = Options.TopicAliasMax,
        ServerKeepAliveSeconds = keepAlive.TotalSeconds == packet.KeepAliveSeconds ? null : (ushort)keepAlive.TotalSeconds,
    };

    void Refuse(ConnectPacket packet, ReasonCode reason, string why)
    {
        LogRefused(broker.Logger, packet.ClientId, RemoteAddress, why);
        clientPacketMax = packet.Properties?.MaximumPacketSize;
        Refuse(reason, why);
        saidGoodbye = true;
    }

    void Refuse(ReasonCode reason, string why)
    {
        broker.Metrics.Refused();
        // A level we do not speak is refused in the words of 3.1.1, which has no word for most else. [MQTT-3.1.2-2, MQTT-3.2.2-6]
        if ((IsV5 ? (byte)reason : ConnAckPacket.CodeFor311(reason)) is not { } code)
            return;
        if (!TryWrite(new ConnAckPacket(false, code, IsV5 ? new() { ReasonString = why } : null)) && IsV5)
            TryWrite(new ConnAckPacket(false, code, null));
        flush.Flush();
    }

    /// <summary>False when the client takes no packet as large. [MQTT-3.1.2-24]</summary>
    bool TryWrite(ConnAckPacket packet)
    {
        using var buffer = new PacketBuffer(128);
        packet.Write(buffer, version);
        return !(buffer.Length > clientPacketMax) && output.TryAdd(buffer.Written.Span, flush, mayDrop: false);
    }

    [LoggerMessage(20, LogLevel.Debug, "Client '{ClientId}' of account {Account} connected as {Principal} from {Remote}")]
    static partial void LogConnected(ILogger logger, string clientId, string account, string principal, string remote);

    [LoggerMessage(21, LogLevel.Information, "Refusing client '{ClientId}' at {Remote}: {Why}")]
    static partial void LogRefused(ILogger logger, string clientId, string remote, string why);
}

using System.Security.Cryptography.X509Certificates;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>What the broker asks of whoever owns device identities and policies; the IoT Core service answers.</summary>
public interface IDeviceAuthority
{
    /// <summary>Who this certificate is, judged at CONNECT and at each HTTPS request; null when it is unknown, inactive or revoked.</summary>
    /// <param name="serverName">The TLS server name the device asked for, which may choose the account.</param>
    ValueTask<DevicePrincipal?> Identify(X509Certificate2 certificate, string? serverName, CancellationToken cancel);

    /// <summary>Who a client of the plain listener is, by its user name and password; null when no rule lets it in.</summary>
    ValueTask<DevicePrincipal?> Identify(string clientId, string? userName, ReadOnlyMemory<byte> password, CancellationToken cancel);

    /// <summary>Who a client is, by all that it brought to its CONNECT; null when nothing of it lets it in.</summary>
    ValueTask<DevicePrincipal?> Identify(ClientIntroduction client, CancellationToken cancel) =>
        client.Origin.Presented is { } known ? new(known)
        : client.Origin.Certificate is { } certificate ? Identify(certificate, client.Origin.ServerName, cancel)
        : Identify(client.ClientId, client.UserName, client.Password, cancel);

    /// <summary>May this principal connect as this client id? Binds the connection's thing for the policy variables.</summary>
    ValueTask<DeviceSession?> Connect(DevicePrincipal principal, string clientId, CancellationToken cancel);
}

/// <summary>An authenticated identity: a certificate, a user or role, what a custom authorizer says, or a name given by the administrator's rule.</summary>
/// <param name="Id">The certificate id (SHA-256 of its DER, lower-case hexadecimal), or the rule's name for the client.</param>
/// <param name="Arn">The ARN that presence events and the audit log show.</param>
public record DevicePrincipal(AccountId Account, string Id, string Arn)
{
    /// <summary>The TLS server name that the device asked for; policies see it as <c>iot:DomainName</c>.</summary>
    public string? ServerName { get; init; }

    /// <summary>The device's address, set by the listener before <see cref="IDeviceAuthority.Connect"/>; policies see it as <c>aws:SourceIp</c>.</summary>
    public string? SourceIp { get; init; }
}

/// <summary>One connection's rights. Created by <see cref="IDeviceAuthority.Connect"/>, asked for every packet.</summary>
public abstract class DeviceSession(DevicePrincipal principal, string clientId)
{
    public DevicePrincipal Principal { get; } = principal;

    public string ClientId { get; } = clientId;

    /// <summary>Rises whenever a policy, an attachment or the certificate changes: decisions cached under an older number are void.</summary>
    public abstract int Version { get; }

    static readonly Action Revoked = static () => { };
    Action? whenRevoked;

    /// <summary>The identity was deactivated or deleted, or may no longer connect: the broker closes the connection.</summary>
    public bool IsRevoked => ReferenceEquals(Volatile.Read(ref whenRevoked), Revoked);

    /// <summary>Has something done when the rights end, at once if they have. For one caller, the broker.</summary>
    public void WhenRevoked(Action act)
    {
        if (Interlocked.CompareExchange(ref whenRevoked, act, null) is not null)
            Start(act);
    }

    /// <summary>The rights have ended.</summary>
    protected void EndRights()
    {
        if (Interlocked.Exchange(ref whenRevoked, Revoked) is { } act)
            Start(act);
    }

    // Elsewhere: a listener that blocks must not hold up the judging of other devices.
    static void Start(Action act) => ThreadPool.UnsafeQueueUserWorkItem(static a => a(), act, preferLocal: false);

    /// <summary>Why the rights ended.</summary>
    public virtual RevocationCause Cause => RevocationCause.NotAllowed;

    /// <summary>User properties that every message of this client carries beside its own; null for none. May change at any time.</summary>
    public virtual IReadOnlyList<KeyValuePair<string, string>>? Enrichment => null;

    /// <summary>Called once when the connection is over.</summary>
    public virtual void Ended() { }

    /// <summary>Judges one action on a topic or topic filter. Cheap enough for a first packet; the broker caches the answer by <see cref="Version"/>.</summary>
    public abstract bool Allows(DeviceAction action, string topic);
}

/// <summary>The IoT policy actions that concern messages ("AWS IoT Core policy actions").</summary>
public enum DeviceAction
{
    /// <summary><c>iot:Publish</c> on <c>topic/…</c></summary>
    Publish,

    /// <summary><c>iot:RetainPublish</c> on <c>topic/…</c></summary>
    RetainPublish,

    /// <summary><c>iot:Subscribe</c> on <c>topicfilter/…</c></summary>
    Subscribe,

    /// <summary><c>iot:Receive</c> on <c>topic/…</c></summary>
    Receive,
}

/// <summary>Why a connection's rights ended.</summary>
public enum RevocationCause
{
    /// <summary>The identity is gone, or may no longer connect.</summary>
    NotAllowed,

    /// <summary>A custom authorizer allowed so long and no longer.</summary>
    CustomAuthorizerTime,

    /// <summary>A signature opens a WebSocket for a day, or for as long as its credentials live.</summary>
    WebSocketTime,
}

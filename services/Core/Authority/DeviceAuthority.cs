using System.Security.Cryptography.X509Certificates;
using Althing.Broker;
using Althing.Core.Certificates;
using Althing.Core.Endpoints;
using Althing.Core.Logging;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Authority;

/// <summary>
/// Says who a device is and what it may do, from the registered certificates and the policies on them and on their things' groups.
/// </summary>
/// <remarks>
/// Identifying takes two or three reads of storage and a connection some eight more, however many devices there are; packets take none.
/// An inactive CA does not stop the certificates that were registered under it ("Deactivate a CA certificate").
/// </remarks>
sealed class DeviceAuthority(
    IStore store, RightsKeeper keeper, FirstContact firstContact, MqttUsers users, ServerNames serverNames, IotLog log, TimeProvider clock) : IDeviceAuthority
{
    /// <summary>How many accounts may share one certificate before further ones are no longer looked at.</summary>
    const int OwnersMax = 100;

    public async ValueTask<DevicePrincipal?> Identify(X509Certificate2 certificate, string? serverName, CancellationToken cancel)
    {
        var id = CertificateText.IdOf(certificate);
        var asked = await serverNames.Account(serverName, cancel);
        if (asked.Refused)
            return null;
        var owners = await store.Scan(CertificateOwner.Table, AccountId.Platform, Scan.Under(Key.Prefix(id)) with { Limit = OwnersMax }, cancel);
        if (Choose(owners, asked) is not { } owner)
        {
            await firstContact.Greet(certificate, asked.Account, cancel);
            return null;
        }
        var row = await store.Get(Certificate.Table, owner.Owner, id, cancel);
        if (row?.Value is not { } registered)
            return null;
        var principal = new DevicePrincipal(owner.Owner, id, $"arn:aws:iot:{registered.Region}:{owner.Owner}:cert/{id}") { ServerName = serverName };
        if (registered.Status == CertificateStatus.ACTIVE && RightsReader.IsValidAt(registered, clock.GetUtcNow()))
            return principal;
        if (registered is { Status: CertificateStatus.PENDING_ACTIVATION, CaCertificateId: not null })
            await firstContact.Announce(registered, cancel);
        await log.Ready(owner.Owner, cancel);
        log.Unidentified(principal, registered.Status == CertificateStatus.ACTIVE ? "EXPIRED_CERTIFICATE" : "INACTIVE_CERTIFICATE");
        return null;
    }

    public ValueTask<DevicePrincipal?> Identify(string clientId, string? userName, ReadOnlyMemory<byte> password, CancellationToken cancel) =>
        users.Identify(clientId, userName, password, cancel);

    public async ValueTask<DeviceSession?> Connect(DevicePrincipal principal, string clientId, CancellationToken cancel)
    {
        await log.Ready(principal.Account, cancel);
        var device = new ConnectedDevice(principal, clientId, log);
        if (await keeper.Admit(device, cancel))
        {
            log.Connected(device);
            return device;
        }
        log.ConnectDenied(principal, clientId);
        return null;
    }

    // A certificate has one owner unless it was registered without a CA; then the server name tells which is meant, or the first one is.
    static CertificateOwner? Choose(IReadOnlyList<Row<CertificateOwner>> owners, ServerAccount asked) => asked.Account is { } account
        ? owners.FirstOrDefault(o => o.Value.Owner == account).Value
        : owners.Count > 0 ? owners[0].Value : null;
}

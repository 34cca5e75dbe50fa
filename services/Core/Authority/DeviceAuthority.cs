using System.Security.Cryptography.X509Certificates;
using Althing.Broker;
using Althing.Core.Certificates;
using Althing.Core.CustomAuthorizers;
using Althing.Core.DomainConfigurations;
using Althing.Core.Endpoints;
using Althing.Core.Logging;
using Althing.Identity.Pki;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Authority;

/// <summary>
/// Says who a device is and what it may do, from the registered certificates and the policies on them and on their things' groups, from
/// users and roles that sign, and from custom authorizers.
/// </summary>
/// <remarks>
/// Identifying takes two or three reads of storage and a connection some eight more, however many devices there are; packets take none.
/// An inactive CA does not stop the certificates that were registered under it ("Deactivate a CA certificate").
/// </remarks>
sealed class DeviceAuthority(
    IStore store, RightsKeeper keeper, FirstContact firstContact, MqttUsers users, ServerNames serverNames, AuthorizerDesk desk, IotLog log,
    TimeProvider clock, ILogger<DeviceAuthority> logger) : IDeviceAuthority
{
    /// <summary>How many accounts may share one certificate before further ones are no longer looked at.</summary>
    const int OwnersMax = 100;

    public async ValueTask<DevicePrincipal?> Identify(ClientIntroduction client, CancellationToken cancel)
    {
        var origin = client.Origin;
        var asked = await serverNames.Account(origin.ServerName, cancel);
        if (asked.Refused || !DomainRules.Takes(asked.Domain, origin))
            return null;
        var input = AuthorizerInput.Of(client, null);
        switch (DomainRules.MethodOf(asked.Domain, origin, input.Find(AuthorizerInput.NameParameter) is not null))
        {
            case DomainRules.Signature:
                return origin.Presented;
            case DomainRules.Certificate:
                return origin.Certificate is { } certificate ? await Identify(certificate, origin.ServerName, cancel) : null;
            case DomainRules.CustomAuthWithCertificate:
                return origin.Certificate is { } both && await Identify(both, origin.ServerName, cancel) is { } known
                    ? await ByAuthorizer(known.Account, asked.Domain, AuthorizerInput.Of(client, known), cancel)
                    : null;
            default:
                return origin.Presented as CustomPrincipal ?? await WithoutCertificate(client, asked, input, cancel);
        }
    }

    async ValueTask<DevicePrincipal?> WithoutCertificate(ClientIntroduction client, ServerAccount asked, AuthorizerInput input, CancellationToken cancel)
    {
        var named = input.Find(AuthorizerInput.NameParameter) is not null;
        // Clients of the plain listener are the administrator's, whatever default authorizer devices have.
        var plain = !client.Origin.IsSecure && client.Origin.Http is null;
        if ((named || !plain) && (asked.Account ?? await serverNames.FirstAccount(cancel)) is { } account && await ByAuthorizer(account, asked.Domain, input, cancel) is { } known)
            return known;
        // Names and passwords of the administrator's, for those who neither name an authorizer nor come to a domain that has one.
        return asked.Domain is null && !named
            ? await users.Identify(client.ClientId, client.UserName, client.Password, cancel)
            : null;
    }

    async ValueTask<DevicePrincipal?> ByAuthorizer(AccountId account, DomainConfiguration? domain, AuthorizerInput input, CancellationToken cancel) =>
        await desk.Judge(account, domain, input, cancel) is { } judged ? CustomPrincipal.Of(judged.Authorizer, judged.Answer, input) : null;

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
            await firstContact.GreetAgain(registered, cancel);
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
        if (!await keeper.Admit(device, cancel))
        {
            log.ConnectDenied(principal, clientId);
            return null;
        }
        if (principal is CustomPrincipal custom)
            device.Keep(new CustomUpkeep(device, custom, store, desk, keeper, clock, logger));
        else if (principal is IamPrincipal)
            device.Keep(new SignatureUpkeep(device, device.RightsUntil, clock));
        log.Connected(device);
        return device;
    }

    // A certificate has one owner unless it was registered without a CA; then the server name tells which is meant, or the first one is.
    static CertificateOwner? Choose(IReadOnlyList<Row<CertificateOwner>> owners, ServerAccount asked) => asked.Account is { } account
        ? owners.FirstOrDefault(o => o.Value.Owner == account).Value
        : owners.Count > 0 ? owners[0].Value : null;
}

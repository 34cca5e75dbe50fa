using System.Security.Cryptography.X509Certificates;
using Althing.Broker;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Host;

/// <summary>
/// Lets clients without a name in, who may then do everything in the first account: for the plain listener alone, and only when the
/// administrator said <c>--anonymous</c>. Whoever gives a name is still judged by it.
/// </summary>
sealed class AnonymousAuthority(IDeviceAuthority authority, FirstStart accounts) : IDeviceAuthority
{
    const string Id = "anonymous";

    public ValueTask<DevicePrincipal?> Identify(X509Certificate2 certificate, string? serverName, CancellationToken cancel) =>
        authority.Identify(certificate, serverName, cancel);

    public async ValueTask<DevicePrincipal?> Identify(string clientId, string? userName, ReadOnlyMemory<byte> password, CancellationToken cancel)
    {
        if (!string.IsNullOrEmpty(userName))
            return await authority.Identify(clientId, userName, password, cancel);
        return await accounts.FirstAccount(cancel) is { } account ? new(account, Id, $"arn:aws:iot:us-east-1:{account}:mqtt-user/{Id}") : null;
    }

    public async ValueTask<DeviceSession?> Connect(DevicePrincipal principal, string clientId, CancellationToken cancel) =>
        principal.Id == Id ? new Anybody(principal, clientId) : await authority.Connect(principal, clientId, cancel);

    sealed class Anybody(DevicePrincipal principal, string clientId) : DeviceSession(principal, clientId)
    {
        public override int Version => 0;
        public override bool Allows(DeviceAction action, string topic) => true;
    }
}

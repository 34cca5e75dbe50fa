using System.Security.Cryptography.X509Certificates;
using Althing.Broker;
using Althing.Identity;

namespace Althing.Core.Authority;

/// <summary>Devices that call APIs over HTTPS with their certificate: the same operations, judged by their IoT policies.</summary>
/// <remarks>Thing policy variables and <c>iot:ClientId</c> have no value there ("Thing policy variables").</remarks>
public sealed class DeviceCallers
{
    readonly IDeviceAuthority authority;
    readonly RightsReader reader;

    internal DeviceCallers(IDeviceAuthority authority, RightsReader reader) => (this.authority, this.reader) = (authority, reader);

    /// <summary>The caller that a TLS client certificate makes; null when it is unknown, inactive or revoked.</summary>
    /// <param name="serverName">The TLS server name that the device asked for.</param>
    /// <param name="sourceIp">The device's address, for <c>aws:SourceIp</c>.</param>
    public async ValueTask<Caller?> Identify(X509Certificate2 certificate, string? serverName, string? sourceIp, CancellationToken cancel)
    {
        if (await authority.Identify(certificate, serverName, cancel) is not { } principal
            || await reader.Read(principal with { SourceIp = sourceIp }, null, cancel) is not { } rights)
            return null;
        return new()
        {
            Account = principal.Account,
            Arn = principal.Arn,
            UserId = principal.Id,
            Kind = CallerKind.Certificate,
            Region = rights.Region,
            Policies = rights.Documents(),
            Context = rights.Context,
        };
    }
}

using Althing.Storage;

namespace Althing.Core.Endpoints;

/// <summary>Where devices and their software find this platform; the host sets it from its listeners.</summary>
public sealed record EndpointOptions
{
    /// <summary>The name that the server certificate bears, without port.</summary>
    public required string HostName { get; init; }

    /// <summary>Host name, and port when it is not the usual one, that devices connect to by MQTT and HTTPS; null for <see cref="HostName"/>.</summary>
    public string? DataAddress { get; init; }

    /// <summary>Host name and port of the credential provider; null for <see cref="HostName"/>.</summary>
    public string? CredentialProviderAddress { get; init; }

    /// <summary>Host name and port of the jobs data plane; null for <see cref="HostName"/>.</summary>
    public string? JobsAddress { get; init; }

    /// <summary>
    /// Whether each account has names of its own, <c>ACCOUNT.HOST</c>, so that the TLS server name tells accounts apart that share a
    /// certificate. The server certificate must then cover <c>*.HOST</c>. Such names are understood whether this is set or not.
    /// </summary>
    public bool AccountNames { get; init; }

    /// <summary>The address as an account's devices are to use it.</summary>
    internal string Of(string? address, AccountId account) => AccountNames ? $"{account}.{address ?? HostName}" : address ?? HostName;
}

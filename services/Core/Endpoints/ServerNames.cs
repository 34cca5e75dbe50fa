using Althing.Core.DomainConfigurations;
using Althing.Storage;

namespace Althing.Core.Endpoints;

/// <summary>What a TLS server name says: which account is meant, and whether its endpoint takes connections.</summary>
sealed class ServerNames(IStore store, EndpointOptions options)
{
    public async ValueTask<ServerAccount> Account(string? serverName, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(serverName) || string.Equals(serverName, options.HostName, StringComparison.OrdinalIgnoreCase))
            return default;
        if (serverName.IndexOf('.', StringComparison.Ordinal) is 12 && !serverName.AsSpan(0, 12).ContainsAnyExceptInRange('0', '9'))
            return new(new AccountId(serverName[..12]), false);
        return await store.Get(DomainOwner.Table, AccountId.Platform, serverName.ToLowerInvariant(), cancel) is { } domain
            ? new(domain.Value.Owner, !domain.Value.Enabled)
            : default;
    }
}

/// <param name="Account">The account whose name it is; null when the name is the platform's.</param>
/// <param name="Refused">Whether the name belongs to a domain configuration that is DISABLED.</param>
readonly record struct ServerAccount(AccountId? Account, bool Refused);

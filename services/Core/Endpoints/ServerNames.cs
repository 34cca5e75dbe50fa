using System.Collections.Concurrent;
using Althing.Core.DomainConfigurations;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Endpoints;

/// <summary>What a TLS server name says: which account is meant, and which domain configuration holds for it.</summary>
sealed class ServerNames : IDisposable
{
    /// <summary>Names that were asked for lately, configured or not; when there are more, all are forgotten.</summary>
    const int RememberedMax = 10_000;

    /// <summary>For how long what another node changed may go unnoticed.</summary>
    static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(10);

    readonly IStore store;
    readonly EndpointOptions options;
    readonly FirstStart accounts;
    readonly RegistryChanges changes;
    readonly TimeProvider clock;
    readonly ConcurrentDictionary<string, (ServerAccount Found, long At)> remembered = new(StringComparer.OrdinalIgnoreCase);
    int generation;
    AccountId? first;

    public ServerNames(IStore store, EndpointOptions options, FirstStart accounts, RegistryChanges changes, TimeProvider clock)
    {
        (this.store, this.options, this.accounts, this.changes, this.clock) = (store, options, accounts, changes, clock);
        changes.Changed += Note;
    }

    public ValueTask<ServerAccount> Account(string? serverName, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(serverName) || string.Equals(serverName, options.HostName, StringComparison.OrdinalIgnoreCase))
            return default;
        if (serverName.IndexOf('.', StringComparison.Ordinal) is 12 && !serverName.AsSpan(0, 12).ContainsAnyExceptInRange('0', '9'))
            return new(new ServerAccount(new AccountId(serverName[..12]), null));
        return remembered.TryGetValue(serverName, out var known) && clock.GetElapsedTime(known.At) < RememberedFor ? new(known.Found) : Read(serverName, cancel);
    }

    /// <summary>The account of clients that bring no name or certificate that tells it: the platform's first; null before the first start.</summary>
    public async ValueTask<AccountId?> FirstAccount(CancellationToken cancel) => first ??= await accounts.FirstAccount(cancel);

    async ValueTask<ServerAccount> Read(string serverName, CancellationToken cancel)
    {
        var readAt = Volatile.Read(ref generation);
        var found = default(ServerAccount);
        if (await store.Get(DomainOwner.Table, AccountId.Platform, serverName.ToLowerInvariant(), cancel) is { Value: var owner })
        {
            // An account has ten at most.
            var configurations = await store.Scan(DomainConfiguration.Table, owner.Owner, Scan.All, cancel);
            found = new(owner.Owner, configurations.Select(c => c.Value).FirstOrDefault(c => c.DomainName == owner.DomainName));
        }
        if (remembered.Count >= RememberedMax)
            remembered.Clear();
        // What was read before a change is not kept after it.
        if (Volatile.Read(ref generation) == readAt)
            remembered[serverName] = (found, clock.GetTimestamp());
        return found;
    }

    void Note(RegistryChange change)
    {
        if (change.Resource is not RegistryResource.DomainConfiguration)
            return;
        Interlocked.Increment(ref generation);
        remembered.Clear();
    }

    public void Dispose() => changes.Changed -= Note;
}

/// <param name="Account">The account whose name it is; null when the name is the platform's.</param>
/// <param name="Domain">The configuration of the name; null for the names that every account has.</param>
readonly record struct ServerAccount(AccountId? Account, DomainConfiguration? Domain)
{
    /// <summary>Whether the name belongs to a domain configuration that is DISABLED.</summary>
    public bool Refused => Domain is { Enabled: false };
}

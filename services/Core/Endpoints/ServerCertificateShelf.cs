using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using Althing.Core.ServerCertificates;
using Althing.Identity;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Endpoints;

/// <summary>The imported server certificates that are being shown, opened once and again when they change.</summary>
sealed class ServerCertificateShelf : IDisposable
{
    /// <summary>For how long what another node changed may go unnoticed.</summary>
    static readonly TimeSpan LookedAtFor = TimeSpan.FromSeconds(10);

    readonly IStore store;
    readonly MasterKey master;
    readonly RegistryChanges changes;
    readonly TimeProvider clock;
    readonly ILogger<ServerCertificateShelf> logger;
    readonly ConcurrentDictionary<(AccountId, string), Entry> entries = new();

    /// <param name="Version">The row's; 0 before the first reading.</param>
    sealed record Entry(SslStreamCertificateContext? Context, long Version, long LookedAt);

    public ServerCertificateShelf(IStore store, MasterKey master, RegistryChanges changes, TimeProvider clock, ILogger<ServerCertificateShelf> logger)
    {
        (this.store, this.master, this.changes, this.clock, this.logger) = (store, master, changes, clock, logger);
        changes.Changed += Note;
    }

    /// <summary>The certificate as TLS shows it; null when it is gone or cannot be opened.</summary>
    public ValueTask<SslStreamCertificateContext?> Find(AccountId account, string arn, CancellationToken cancel) =>
        entries.TryGetValue((account, arn), out var known) && known.LookedAt != 0 && clock.GetElapsedTime(known.LookedAt) < LookedAtFor
            ? new(known.Context)
            : Read(account, arn, known, cancel);

    async ValueTask<SslStreamCertificateContext?> Read(AccountId account, string arn, Entry? known, CancellationToken cancel)
    {
        var lookedAt = clock.GetTimestamp();
        if (ServerCertificate.IdIn(arn, account) is not { } id || await store.Get(ServerCertificate.Table, account, id, cancel) is not { } row)
        {
            entries.TryRemove((account, arn), out _);
            return null;
        }
        var context = known is not null && known.Version == row.Version ? known.Context : Open(row.Value) ?? known?.Context;
        entries[(account, arn)] = new(context, row.Version, lookedAt);
        return context;
    }

    SslStreamCertificateContext? Open(ServerCertificate row)
    {
        try
        {
            return SslStreamCertificateContext.Create(row.Open(master), row.Chain(), offline: true);
        }
        catch (CryptographicException failure)
        {
            logger.LogError(failure, "The server certificate {Arn} cannot be opened; the last one that could is shown, or the platform's.", row.Arn);
            return null;
        }
    }

    void Note(RegistryChange change)
    {
        if (change is not { Resource: RegistryResource.ServerCertificate, Detail: ServerCertificate certificate })
            return;
        if (entries.TryGetValue((change.Account, certificate.Arn), out var known))
            entries.TryUpdate((change.Account, certificate.Arn), known with { LookedAt = 0 }, known);
    }

    public void Dispose() => changes.Changed -= Note;
}

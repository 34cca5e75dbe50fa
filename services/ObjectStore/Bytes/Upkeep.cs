using System.Globalization;
using Althing.ObjectStore.Buckets;
using Althing.ObjectStore.Objects;
using Althing.ObjectStore.Uploads;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.ObjectStore.Bytes;

/// <summary>
/// Clears away, at the start and once a day, what killed processes and forgotten uploads leave: bytes that no row names, parts of uploads
/// that are gone, uploads that nobody has ended for a week.
/// </summary>
sealed partial class Upkeep(IStore store, IBlobs blobs, ContentKeeper keeper, TimeProvider time, ILogger<Upkeep> log) : BackgroundService
{
    static readonly TimeSpan Every = TimeSpan.FromDays(1);

    /// <summary>How long an upload may take. Documented in docs/guide/object-store.md.</summary>
    public static readonly TimeSpan UploadsKept = TimeSpan.FromDays(7);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Sweep(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogFailure(log, failure);
            }
            await Task.Delay(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Goes over everything once.</summary>
    public async Task Sweep(CancellationToken cancel)
    {
        // Blobs that were begun later may be waiting for their rows.
        var began = time.GetUtcNow();
        HashSet<AccountId> accounts = [];
        await foreach (var bucket in store.ScanAll(Bucket.Table, cancel))
        {
            accounts.Add(bucket.Value.Owner);
            if (bucket.Value.Closing)
                await Reopen(bucket, cancel);
        }
        await foreach (var upload in store.ScanAll(Upload.Table, cancel))
        {
            accounts.Add(upload.Account);
            if (began - upload.Value.Begun > UploadsKept)
                await Abort(upload, cancel);
        }
        HashSet<(AccountId, string)> strayUploads = [];
        await foreach (var part in store.ScanAll(Part.Table, cancel))
        {
            accounts.Add(part.Account);
            if (part.Value.Modified < began - TimeSpan.FromMinutes(1) && !await IsUpload(part.Value, cancel))
                strayUploads.Add((part.Account, part.Value.UploadId));
        }
        foreach (var (account, upload) in strayUploads)
            await keeper.RemoveParts(account, upload);
        foreach (var account in accounts)
            await SweepBlobs(account, began, cancel);
    }

    async Task SweepBlobs(AccountId account, DateTimeOffset began, CancellationToken cancel)
    {
        await foreach (var (name, bytes) in blobs.List(account, ContentKeeper.Prefix, cancel))
        {
            if (keeper.IsBeingWritten(name) || TimeOf(name) is not { } made || made >= began || await IsNamed(account, name, cancel))
                continue;
            await keeper.Remove(account, name);
            LogStray(log, name, bytes);
        }
    }

    /// <summary>When a blob was begun: its name is a UUID of version 7.</summary>
    static DateTimeOffset? TimeOf(string name) =>
        long.TryParse(name.AsSpan(ContentKeeper.Prefix.Length, Math.Min(12, name.Length - ContentKeeper.Prefix.Length)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var milliseconds)
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;

    async ValueTask<bool> IsNamed(AccountId account, string blob, CancellationToken cancel) =>
        await store.Count(StoredObject.Latest, account, Scan.By("content", blob), cancel) > 0
        || await store.Count(StoredObject.Older, account, Scan.By("content", blob), cancel) > 0
        || await store.Count(Part.Table, account, Scan.By("blob", blob), cancel) > 0
        // A version may have moved from one table to the other between the two looks.
        || await store.Count(StoredObject.Latest, account, Scan.By("content", blob), cancel) > 0;

    async ValueTask<bool> IsUpload(Part part, CancellationToken cancel) =>
        await store.Count(Upload.Table, part.Account, Scan.By("id", part.UploadId), cancel) > 0
        || await store.Count(StoredObject.Latest, part.Account, Scan.By("content", part.UploadId), cancel) > 0
        || await store.Count(StoredObject.Older, part.Account, Scan.By("content", part.UploadId), cancel) > 0
        || await store.Count(StoredObject.Latest, part.Account, Scan.By("content", part.UploadId), cancel) > 0;

    async Task Abort(Row<Upload> upload, CancellationToken cancel)
    {
        try
        {
            await store.Commit(new Batch().Delete(Upload.Table, upload), cancel);
            await keeper.RemoveParts(upload.Account, upload.Value.Id);
        }
        catch (StorageConflictException)
        {
            // Somebody ended it at last.
        }
    }

    async Task Reopen(Row<Bucket> bucket, CancellationToken cancel)
    {
        try
        {
            await store.Commit(new Batch().Replace(Bucket.Table, bucket, bucket.Value with { Closing = false }), cancel);
        }
        catch (StorageConflictException)
        {
            // It is being deleted just now.
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The sweep of the object store failed; it is tried again in a day")]
    static partial void LogFailure(ILogger logger, Exception failure);

    [LoggerMessage(2, LogLevel.Information, "{Name} ({Bytes} bytes) belonged to no object and was removed")]
    static partial void LogStray(ILogger logger, string name, long bytes);
}

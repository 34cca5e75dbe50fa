using System.Collections.Concurrent;
using Althing.Api;
using Althing.ObjectStore.Digests;
using Althing.ObjectStore.Objects;
using Althing.ObjectStore.Uploads;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.ObjectStore.Bytes;

/// <summary>
/// Writes content to blobs, reads it back, and gives its space back. A blob is written before the row that names it and removed after that
/// row, so that a crash leaves at most bytes that nobody names; <see cref="Upkeep"/> removes them.
/// </summary>
sealed partial class ContentKeeper(IStore store, IBlobs blobs, TimeProvider time, ILogger<ContentKeeper> log)
{
    public const string Prefix = "s3/";

    /// <summary>Blobs that are being written or wait for their row.</summary>
    readonly ConcurrentDictionary<string, bool> writing = new();

    readonly Lock reading = new();
    readonly Dictionary<string, int> readers = [];
    readonly Dictionary<string, (AccountId Account, ObjectContent Content)> doomed = [];
    readonly HashSet<string> leaving = [];

    /// <summary>Whether a blob belongs to a call that has not ended.</summary>
    public bool IsBeingWritten(string blob) => writing.ContainsKey(blob);

    /// <summary>Writes content to a new blob; when this returns, it is on disk. End with <see cref="Settle"/> or <see cref="Discard"/>.</summary>
    public async ValueTask<(string Blob, ContentDigests Digests)> Write(AccountId account, Stream content, ChecksumAlgorithm algorithm, Action<ContentDigests>? check, CancellationToken cancel)
    {
        var blob = $"{Prefix}{Guid.CreateVersion7(time.GetUtcNow()):N}";
        writing[blob] = true;
        try
        {
            await using var digesting = new DigestingStream(content, algorithm, check);
            await blobs.Put(account, blob, digesting, cancel);
            return (blob, digesting.Digests!);
        }
        catch
        {
            writing.TryRemove(blob, out _);
            throw;
        }
    }

    /// <summary>A row names the blob now.</summary>
    public void Settle(string blob) => writing.TryRemove(blob, out _);

    /// <summary>No row will name the blob.</summary>
    public async ValueTask Discard(AccountId account, string blob)
    {
        writing.TryRemove(blob, out _);
        await Remove(account, blob);
    }

    /// <summary>Opens content; null when it was removed since its row was read.</summary>
    public async ValueTask<Stream?> Open(AccountId account, ObjectContent content, long offset, long bytes, CancellationToken cancel)
    {
        if (content.Parts is null)
            return await blobs.Open(account, content.Id, offset, bytes, cancel);
        if (!TryHold(content.Id))
            return null;
        try
        {
            var parts = await PartsOf(account, content.Id, cancel);
            if (parts.Sum(p => p.Bytes) == content.Bytes)
                return new PartsStream(this, account, content, parts, offset, bytes);
        }
        catch
        {
            LetGo(content.Id);
            throw;
        }
        LetGo(content.Id);
        return null;
    }

    public ValueTask<Stream?> OpenPart(AccountId account, Part part, long offset, long bytes, CancellationToken cancel) => blobs.Open(account, part.Blob, offset, bytes, cancel);

    public async ValueTask<IReadOnlyList<Part>> PartsOf(AccountId account, string uploadId, CancellationToken cancel) =>
        [.. (await store.Scan(Part.Table, account, Scan.Under(Key.Prefix(uploadId)), cancel)).Select(r => r.Value)];

    bool TryHold(string contentId)
    {
        lock (reading)
        {
            if (leaving.Contains(contentId))
                return false;
            readers[contentId] = readers.GetValueOrDefault(contentId) + 1;
            return true;
        }
    }

    /// <summary>A reader of parts is done; the last one removes what was to be removed meanwhile.</summary>
    public void LetGo(string contentId)
    {
        (AccountId Account, ObjectContent Content) waiting;
        lock (reading)
        {
            if (--readers[contentId] > 0)
                return;
            readers.Remove(contentId);
            if (!doomed.Remove(contentId, out waiting))
                return;
            leaving.Add(contentId);
        }
        _ = Remove(waiting.Account, waiting.Content);
    }

    /// <summary>Gives back the space of content that no row names any more, once nobody reads it.</summary>
    public async ValueTask Release(AccountId account, ObjectContent content)
    {
        lock (reading)
        {
            if (readers.ContainsKey(content.Id))
            {
                doomed[content.Id] = (account, content);
                return;
            }
            leaving.Add(content.Id);
        }
        await Remove(account, content);
    }

    async Task Remove(AccountId account, ObjectContent content)
    {
        if (content.Parts is null)
            await Remove(account, content.Id);
        else
            await RemoveParts(account, content.Id);
        lock (reading)
            leaving.Remove(content.Id);
    }

    /// <summary>Removes all parts of an upload, rows and blobs.</summary>
    public async Task RemoveParts(AccountId account, string uploadId)
    {
        try
        {
            var parts = await PartsOf(account, uploadId, CancellationToken.None);
            foreach (var some in parts.Chunk(500))
            {
                var batch = new Batch();
                foreach (var part in some)
                    batch.Delete(Part.Table, account, Part.KeyOf(uploadId, part.Number));
                await store.Commit(batch, CancellationToken.None);
                foreach (var part in some)
                    await Remove(account, part.Blob);
            }
        }
        catch (Exception failure)
        {
            LogLeft(log, failure, uploadId);
        }
    }

    /// <summary>Removes a blob. When that fails, what the client asked for has been done all the same.</summary>
    public async ValueTask Remove(AccountId account, string blob)
    {
        try
        {
            await blobs.Delete(account, blob, CancellationToken.None);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or HttpRequestException or ServiceException)
        {
            LogLeft(log, failure, blob);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The bytes of {Name} could not be removed; the next sweep tries again")]
    static partial void LogLeft(ILogger logger, Exception failure, string name);
}

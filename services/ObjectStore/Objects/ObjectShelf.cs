using Althing.ObjectStore.Buckets;
using Althing.ObjectStore.Bytes;
using Althing.Storage;

namespace Althing.ObjectStore.Objects;

/// <summary>Puts versions in their places: which is the latest, which become older ones, and whose bytes are no longer needed.</summary>
/// <remarks>"How S3 Versioning works" (Amazon S3 User Guide).</remarks>
sealed class ObjectShelf(IStore store, BucketStore buckets, ContentKeeper keeper, TimeProvider time)
{
    const int AttemptsMax = 50;

    /// <summary>Makes this the latest version of its key, durably.</summary>
    /// <param name="draft">Without version and time, which are given here. Without content it is a delete marker.</param>
    /// <param name="condition">Looks at the latest version, null when there is none or it is a marker, and throws when that is not as wished.</param>
    /// <param name="more">Adds to the batch what must be true or happen at the same time.</param>
    public async ValueTask<StoredObject> Put(StoredObject draft, Action<StoredObject?>? condition, Action<Batch>? more, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var bucket = await RequireOpen(draft.Bucket, cancel);
            var latest = await store.Get(StoredObject.Latest, draft.Account, StoredObject.LatestKey(draft.Bucket, draft.Key), cancel);
            condition?.Invoke(latest is { Value: { IsMarker: false } there } ? there : null);
            var batch = new Batch().Require(Bucket.Table, bucket);
            var made = Next(draft, bucket.Value, latest?.Value);
            var freed = await Displace(batch, made, bucket.Value, latest, cancel);
            if (latest is { } known)
                batch.Replace(StoredObject.Latest, known, made);
            else
                batch.Add(StoredObject.Latest, made);
            more?.Invoke(batch);
            if (!await TryCommit(batch, attempt, cancel))
                continue;
            await Release(freed);
            return made;
        }
    }

    StoredObject Next(StoredObject draft, Bucket bucket, StoredObject? latest)
    {
        var now = time.GetUtcNow();
        var sequence = Math.Max(now.UtcTicks, (latest?.Sequence ?? 0) + 1);
        return draft with
        {
            Sequence = sequence,
            // To the second, because that is what Last-Modified can say and conditions compare.
            Modified = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()),
            VersionId = bucket.Versioning == Bucket.Enabled ? StoredObject.NewVersionId(sequence) : StoredObject.NullVersion,
        };
    }

    /// <summary>What becomes of the versions there are when this one comes; answers those that go.</summary>
    async ValueTask<List<StoredObject>> Displace(Batch batch, StoredObject made, Bucket bucket, Row<StoredObject>? latest, CancellationToken cancel)
    {
        List<StoredObject> freed = [];
        if (latest is not { Value: var before })
            return freed;
        if (made.VersionId != before.VersionId)
            batch.Put(StoredObject.Older, before);
        else
            freed.Add(before);
        // There is one null version of a key at most.
        if (made.VersionId == StoredObject.NullVersion && bucket.Versioning is not null && before.VersionId != StoredObject.NullVersion
            && await OlderNull(made, cancel) is { } older)
        {
            batch.Delete(StoredObject.Older, older);
            freed.Add(older.Value);
        }
        return freed;
    }

    async ValueTask<Row<StoredObject>?> OlderNull(StoredObject of, CancellationToken cancel)
    {
        var rows = await store.Scan(StoredObject.Older, of.Account, Scan.By("null", StoredObject.OlderPrefix(of.Bucket, of.Key)) with { Limit = 1 }, cancel);
        return rows.Count > 0 ? rows[0] : null;
    }

    /// <summary>Deletes as a client does who names no version: the object itself, or with versioning by a marker. Answers the marker.</summary>
    public async ValueTask<StoredObject?> Delete(AccountId account, string bucketName, string key, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var bucket = await RequireOpen(bucketName, cancel);
            if (bucket.Value.Versioning is not null)
                return await Put(new() { Account = account, Bucket = bucketName, Key = key }, null, null, cancel);
            if (await store.Get(StoredObject.Latest, account, StoredObject.LatestKey(bucketName, key), cancel) is not { } latest)
                return null;
            if (!await TryCommit(new Batch().Require(Bucket.Table, bucket).Delete(StoredObject.Latest, latest), attempt, cancel))
                continue;
            await Release([latest.Value]);
            return null;
        }
    }

    /// <summary>Deletes one version for good; null when there is none of this id.</summary>
    public async ValueTask<StoredObject?> DeleteVersion(AccountId account, string bucket, string key, string versionId, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await Find(account, bucket, key, versionId, cancel) is not { } found)
                return null;
            var batch = new Batch();
            if (found.IsLatest)
            {
                batch.Delete(StoredObject.Latest, found.Row);
                var older = await store.Scan(StoredObject.Older, account, Scan.Under(StoredObject.OlderPrefix(bucket, key)) with { Limit = 1 }, cancel);
                if (older is [var next])
                {
                    // The newest of the older ones is the latest now.
                    batch = new Batch().Replace(StoredObject.Latest, found.Row, next.Value).Delete(StoredObject.Older, next);
                }
            }
            else
            {
                batch.Delete(StoredObject.Older, found.Row);
            }
            if (!await TryCommit(batch, attempt, cancel))
                continue;
            await Release([found.Row.Value]);
            return found.Row.Value;
        }
    }

    /// <summary>Changes what is said of a version and not its bytes, such as its tags.</summary>
    public async ValueTask<StoredObject?> Change(AccountId account, string bucket, string key, string? versionId, Func<StoredObject, StoredObject> change, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await Find(account, bucket, key, versionId, cancel) is not { } found)
                return null;
            var changed = change(found.Row.Value);
            if (await TryCommit(new Batch().Replace(found.IsLatest ? StoredObject.Latest : StoredObject.Older, found.Row, changed), attempt, cancel))
                return changed;
        }
    }

    /// <summary>A version by its id, or the latest.</summary>
    public async ValueTask<(Row<StoredObject> Row, bool IsLatest)?> Find(AccountId account, string bucket, string key, string? versionId, CancellationToken cancel)
    {
        if (await store.Get(StoredObject.Latest, account, StoredObject.LatestKey(bucket, key), cancel) is not { } latest)
            return null;
        if (versionId is null || latest.Value.VersionId == versionId)
            return (latest, true);
        if (versionId == StoredObject.NullVersion)
            return await OlderNull(latest.Value, cancel) is { } older ? (older, false) : null;
        return StoredObject.OlderKey(bucket, key, versionId) is { } place && await store.Get(StoredObject.Older, account, place, cancel) is { } row && row.Value.VersionId == versionId
            ? (row, false) : null;
    }

    async ValueTask<Row<Bucket>> RequireOpen(string name, CancellationToken cancel)
    {
        var bucket = await buckets.Require(name, cancel);
        return bucket.Value.Closing ? throw Refuse.NoSuchBucket(name) : bucket;
    }

    /// <exception cref="Althing.Api.ServiceException">OperationAborted: others wrote first too often.</exception>
    async ValueTask<bool> TryCommit(Batch batch, int attempt, CancellationToken cancel)
    {
        try
        {
            await store.Commit(batch, cancel);
            return true;
        }
        catch (StorageConflictException) when (attempt < AttemptsMax)
        {
            return false;
        }
        catch (StorageConflictException)
        {
            throw Refuse.Conflict();
        }
    }

    async ValueTask Release(IEnumerable<StoredObject> freed)
    {
        foreach (var version in freed)
        {
            if (version.Content is { } content)
                await keeper.Release(version.Account, content);
        }
    }
}

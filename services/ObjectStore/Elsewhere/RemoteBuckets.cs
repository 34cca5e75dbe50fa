using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Buckets;
using Althing.Storage;

namespace Althing.ObjectStore.Elsewhere;

/// <summary>
/// Makes and deletes buckets at another service and their rows here, which say whose they are. The row comes first and goes last, so that
/// whatever is killed in between can be done again by the bucket's owner, and by nobody else.
/// </summary>
sealed class RemoteBuckets(IStore rows, OperationCatalog catalog, TimeProvider time)
{
    /// <summary>Where a bucket needs no mention of its region, and must not have one.</summary>
    const string FirstRegion = "us-east-1";

    public async ValueTask<CreateBucketResponse> Create(RemoteStore store, CreateBucketRequest request, Caller caller, CancellationToken cancel)
    {
        var name = request.Bucket;
        var row = await rows.Get(Bucket.Table, AccountId.Platform, name, cancel);
        if (row is { Value: var there } && (there.Owner != caller.Account || !there.Making))
            throw there.Owner == caller.Account ? Refuse.BucketAlreadyOwnedByYou(name) : Refuse.BucketAlreadyExists(name);
        // What is there already, the platform's keys may own; it is no account's until the operator says whose it is.
        if (row is null && await Exists(store, name, cancel))
            throw Refuse.BucketAlreadyExists(name);
        if (row is null)
            await rows.Commit(new Batch().Add(Bucket.Table, CreateBucket.RowOf(request, caller, time) with { Elsewhere = true, Making = true }), cancel);
        try
        {
            var region = store.Region == FirstRegion ? null : new CreateBucketConfiguration { LocationConstraint = store.Region };
            await store.Call(catalog.Find(S3Api.Definition.Name, nameof(CreateBucket))!, new CreateBucketRequest { Bucket = name, Configuration = region }, cancel);
        }
        catch (ServiceException again) when (again.Code == "BucketAlreadyOwnedByYou")
        {
            // It was not there when the row was made: an earlier attempt made it.
        }
        catch (ServiceException refusal) when (refusal.Status < 500)
        {
            await rows.Commit(new Batch().Delete(Bucket.Table, AccountId.Platform, name), cancel);
            throw;
        }
        var made = await rows.Get(Bucket.Table, AccountId.Platform, name, cancel) ?? throw Refuse.Conflict();
        await rows.Commit(new Batch().Replace(Bucket.Table, made, made.Value with { Making = false }), cancel);
        return new() { Location = "/" + name };
    }

    async ValueTask<bool> Exists(RemoteStore store, string name, CancellationToken cancel)
    {
        try
        {
            // Not by HEAD, whose answers do not tell another's bucket from keys that are not taken.
            await store.Call(catalog.Find(S3Api.Definition.Name, nameof(GetBucketLocation))!, new BucketFactRequest { Bucket = name }, cancel);
            return true;
        }
        catch (ServiceException refusal) when (refusal.Code is "NoSuchBucket" or "AccessDenied")
        {
            return refusal.Code == "AccessDenied";
        }
    }

    public async ValueTask<EmptyResponse> Delete(RemoteStore store, DeleteBucketRequest request, CancellationToken cancel)
    {
        try
        {
            await store.Call(catalog.Find(S3Api.Definition.Name, nameof(DeleteBucket))!, request, cancel);
        }
        catch (ServiceException gone) when (gone.Code == "NoSuchBucket")
        {
            // An earlier attempt deleted it, or somebody else did.
        }
        await rows.Commit(new Batch().Delete(Bucket.Table, AccountId.Platform, request.Bucket), cancel);
        return EmptyResponse.Instance;
    }

    /// <summary>Gives a bucket that the other service has to an account.</summary>
    /// <exception cref="InvalidOperationException">The name is no bucket's, or is taken by a bucket that is kept here or is another account's.</exception>
    public static async Task Adopt(IStore rows, string name, AccountId owner, string region, TimeProvider time, CancellationToken cancel)
    {
        if (!Bucket.IsName(name))
            throw new InvalidOperationException($"'{name}' is not a name of a bucket.");
        if (await rows.Get(Bucket.Table, AccountId.Platform, name, cancel) is { Value: var there })
        {
            if (there.Owner != owner || !there.Elsewhere)
                throw new InvalidOperationException($"The bucket '{name}' belongs to account {there.Owner} already{(there.Elsewhere ? "" : " and is kept by the platform itself")}.");
            return;
        }
        try
        {
            await rows.Commit(new Batch().Add(Bucket.Table, new Bucket { Name = name, Owner = owner, Region = region, CreatedAt = time.GetUtcNow(), Elsewhere = true }), cancel);
        }
        catch (StorageConflictException)
        {
            // Another node was told the same, or a client was quicker.
            await Adopt(rows, name, owner, region, time, cancel);
        }
    }
}

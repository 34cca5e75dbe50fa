using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Ota.Streams;

/// <summary>The objects behind streams, read with the rights of the streams' roles.</summary>
sealed class StreamSources(IStore store, IEnumerable<IObjectFiles> files)
{
    readonly IObjectFiles? files = files.FirstOrDefault();

    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void Check(IReadOnlyList<StreamFile> files)
    {
        HashSet<int> ids = [];
        foreach (var file in files)
        {
            if (file.FileId is not { } id)
                throw Refuse.InvalidRequest("Each of 'files' needs a 'fileId' of 0 to 255.");
            if (!ids.Add(id))
                throw Refuse.InvalidRequest($"The file id {id} is given twice.");
            if (file.S3Location is not { Bucket: not null, Key: not null })
                throw Refuse.InvalidRequest($"The file {id} needs an 's3Location' with 'bucket' and 'key'.");
        }
    }

    /// <summary>What the files are now. The role must be able to read each of them.</summary>
    /// <exception cref="ServiceException">InvalidRequestException, UnauthorizedException, ResourceNotFoundException.</exception>
    public async ValueTask<IReadOnlyList<SourceFile>> Resolve(AccountId account, string roleArn, IReadOnlyList<StreamFile> wanted, CancellationToken cancel)
    {
        var role = await ServiceRole.Require(store, account, roleArn, cancel);
        List<SourceFile> found = [];
        foreach (var file in wanted)
        {
            var place = file.S3Location!;
            var source = new SourceFile(file.FileId!.Value, place.Bucket!, place.Key!, place.Version, 0, "");
            if (!Allows(role, source))
                throw Refuse.Unauthorized($"The role {roleArn} does not allow {Action(source)} on {Resource(source)}.");
            if (await Find(account, source, cancel) is not { } facts)
                throw Refuse.ResourceNotFound($"There is no object s3://{source.Bucket}/{source.Key}{(source.ObjectVersion is { } v ? $" with version '{v}'" : "")} in this account.");
            found.Add(source with { Bytes = facts.Bytes, ETag = facts.ETag });
        }
        return found;
    }

    /// <summary>The role, as it is now; null when it is gone or does not trust the platform any more.</summary>
    public ValueTask<Role?> FindRole(AccountId account, string arn, CancellationToken cancel) => ServiceRole.FindTrusting(store, account, arn, cancel);

    public static bool Allows(Role role, SourceFile file) => ServiceRole.Allows(role, Action(file), Resource(file));

    /// <summary>The object as it is now; null when it is gone.</summary>
    public ValueTask<ObjectFacts?> Find(AccountId account, SourceFile file, CancellationToken cancel) =>
        files?.Find(account, file.Bucket, file.Key, file.ObjectVersion, cancel) ?? default;

    /// <summary>Opens a part of the object; null when it is gone.</summary>
    public ValueTask<ObjectFile?> Open(AccountId account, SourceFile file, long offset, long bytes, CancellationToken cancel) =>
        files?.OpenRange(account, file.Bucket, file.Key, file.ObjectVersion, offset, bytes, cancel) ?? default;

    static string Action(SourceFile file) => file.ObjectVersion is null ? "s3:GetObject" : "s3:GetObjectVersion";

    static string Resource(SourceFile file) => $"arn:aws:s3:::{file.Bucket}/{file.Key}";

    /// <summary>For <see cref="TaggedKind"/>.</summary>
    public async ValueTask<string?> TagsOf(Batch batch, AccountId account, string id, CancellationToken cancel)
    {
        if (await store.Get(IotStream.Table, account, id, cancel) is not { } row)
            return null;
        batch.Require(IotStream.Table, row);
        return IotStream.TagKey(id);
    }
}

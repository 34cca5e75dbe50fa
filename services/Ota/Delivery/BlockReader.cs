using Althing.Core;
using Althing.Ota.Streams;
using Althing.Storage;

namespace Althing.Ota.Delivery;

/// <summary>Finds what a request is about, as it is at this moment, and reads blocks of it.</summary>
sealed class BlockReader(IStore store, StreamSources sources, RangeCache cache, StreamLimits limits)
{
    /// <exception cref="StreamRefusal">ResourceNotFound.</exception>
    public async ValueTask<IotStream> Find(AccountId account, string id, CancellationToken cancel) =>
        await store.Get(IotStream.Table, account, id, cancel) is { Value: var stream } ? stream : throw StreamRefusal.ResourceNotFound($"There is no stream '{id}'.");

    /// <summary>The file that is asked for, which the stream's role may read and which is what it was when the stream was made.</summary>
    /// <exception cref="StreamRefusal">VersionMismatch, ResourceNotFound, Unauthorized, ETagMismatch.</exception>
    public async ValueTask<(SourceFile File, ObjectFacts Facts)> Open(IotStream stream, GetRequest request, CancellationToken cancel)
    {
        if (request.Version is { } asked && asked != stream.Version)
            throw StreamRefusal.VersionMismatch(asked, stream.Version);
        var file = stream.Files.FirstOrDefault(f => f.FileId == request.FileId)
            ?? throw StreamRefusal.ResourceNotFound($"The stream '{stream.Id}' has no file {request.FileId}.");
        if (await sources.FindRole(stream.Account, stream.RoleArn, cancel) is not { } role || !StreamSources.Allows(role, file))
            throw StreamRefusal.Unauthorized($"The stream's role does not allow to read file {file.FileId} any more.");
        if (await sources.Find(stream.Account, file, cancel) is not { } facts)
            throw StreamRefusal.ResourceNotFound($"The object behind file {file.FileId} is gone.");
        return facts.ETag == file.ETag ? (file, facts) : throw StreamRefusal.ETagMismatch(file.FileId);
    }

    /// <summary>A part of a file.</summary>
    /// <exception cref="StreamRefusal">ETagMismatch: it was overwritten at this very moment.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> Read(AccountId account, SourceFile file, ObjectFacts facts, long offset, int bytes, CancellationToken cancel)
    {
        var first = offset / limits.RangeBytes;
        var within = (int)(offset % limits.RangeBytes);
        var range = await Range(account, file, facts, first, cancel);
        if (within + bytes <= range.Length)
            return range.AsMemory(within, bytes);
        var whole = new byte[bytes];
        for (var done = 0; done < bytes; within = 0)
        {
            var part = range.AsSpan(within, Math.Min(bytes - done, range.Length - within));
            part.CopyTo(whole.AsSpan(done));
            done += part.Length;
            if (done < bytes)
                range = await Range(account, file, facts, ++first, cancel);
        }
        return whole;
    }

    async ValueTask<byte[]> Range(AccountId account, SourceFile file, ObjectFacts facts, long index, CancellationToken cancel)
    {
        var offset = index * limits.RangeBytes;
        var length = (int)Math.Min(limits.RangeBytes, facts.Bytes - offset);
        var key = new RangeKey(account, file.Bucket, file.Key, facts.Version, facts.ETag, index);
        // Others may wait for the same range: who asked first must not be able to call it off.
        return await cache.Get(key, length, () => Load(account, file, facts, offset, length)).WaitAsync(cancel)
            ?? throw StreamRefusal.ETagMismatch(file.FileId);
    }

    async Task<byte[]?> Load(AccountId account, SourceFile file, ObjectFacts facts, long offset, int length)
    {
        await using var open = await sources.Open(account, file, offset, length, CancellationToken.None);
        if (open is null || open.ETag != facts.ETag || open.Bytes != facts.Bytes)
            return null;
        var content = new byte[length];
        await open.Content.ReadExactlyAsync(content);
        return content;
    }
}

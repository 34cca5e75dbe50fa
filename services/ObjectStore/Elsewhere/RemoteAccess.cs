using Althing.Api;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Elsewhere;

/// <summary>Reads and writes objects at another service for the platform's own services.</summary>
sealed class RemoteAccess(OperationCatalog catalog, PlatformStorage storage)
{
    public async ValueTask<OpenObject?> Open(RemoteStore store, string bucket, string key, string? version, long offset, long? bytes, CancellationToken cancel)
    {
        var whole = new ReadRequest { Bucket = bucket, Key = key, VersionId = version };
        try
        {
            if (bytes == 0)
                return await Nothing(store, whole, cancel);
            var range = offset == 0 && bytes is null ? null : $"bytes={offset}-{(bytes is null ? null : offset + bytes - 1)}";
            var read = (ReadResponse)await store.Call(Operation(nameof(GetObject)), whole with { Range = range }, cancel);
            var all = read.ContentRange is { } part && long.TryParse(part[(part.LastIndexOf('/') + 1)..], out var total) ? total : read.ContentLength;
            return new(read.Content!, all, read.ETag.Trim('"'), read.VersionId ?? StoredObject.NullVersion, read.ContentType);
        }
        catch (ServiceException behind) when (behind.Code == "InvalidRange")
        {
            return await Nothing(store, whole, cancel);
        }
        catch (ServiceException missing) when (missing.Code is "NoSuchKey" or "NoSuchVersion" or "NoSuchBucket" or "MethodNotAllowed")
        {
            return null;
        }
    }

    /// <summary>The object without any of its bytes.</summary>
    async ValueTask<OpenObject> Nothing(RemoteStore store, ReadRequest whole, CancellationToken cancel)
    {
        var there = (ReadResponse)await store.Call(Operation(nameof(HeadObject)), whole, cancel);
        return new(Stream.Null, there.ContentLength, there.ETag.Trim('"'), there.VersionId ?? StoredObject.NullVersion, there.ContentType);
    }

    /// <summary>S3 must be told the length first: content that does not know it is put on disk on its way.</summary>
    public async ValueTask<string> Write(RemoteStore store, string bucket, string key, Stream content, string contentType, CancellationToken cancel)
    {
        await using var spooled = content.CanSeek ? null : Nameless();
        if (spooled is not null)
        {
            await content.CopyToAsync(spooled, cancel);
            spooled.Position = 0;
        }
        var source = spooled ?? content;
        var put = new PutObjectRequest { Bucket = bucket, Key = key, ContentType = contentType, Content = new(source, source.Length - source.Position) };
        return ((PutObjectResponse)await store.Call(Operation(nameof(PutObject)), put, cancel)).VersionId ?? StoredObject.NullVersion;
    }

    /// <summary>A file that nobody finds and that goes with the process, however that ends.</summary>
    FileStream Nameless()
    {
        var path = Path.Combine(storage.Folder, Path.GetRandomFileName());
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 64 * 1024, FileOptions.Asynchronous | FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    }

    OperationInfo Operation(string name) => catalog.Find(S3Api.Definition.Name, name)!;
}

using Althing.Core;
using Althing.Identity;
using Althing.ObjectStore;
using Althing.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Althing.Host;

/// <summary>Joins the services that read and write objects with the object store, which they do not know each other.</summary>
sealed class ObjectFiles(ObjectAccess objects, HostOptions options, IServer? server = null) : IObjectFiles
{
    public async ValueTask<ObjectFile?> Open(AccountId account, string bucket, string key, long offset, CancellationToken cancel) =>
        await objects.Open(account, bucket, key, version: null, offset, bytes: null, cancel) is { } open ? new(open.Content, open.Bytes, open.ETag) : null;

    public async ValueTask<ObjectFacts?> Find(AccountId account, string bucket, string key, string? version, CancellationToken cancel) =>
        await objects.Find(account, bucket, key, version, cancel) is { } found ? new(found.Bytes, found.ETag, found.Version) : null;

    public async ValueTask<ObjectFile?> OpenRange(AccountId account, string bucket, string key, string? version, long offset, long bytes, CancellationToken cancel) =>
        await objects.Open(account, bucket, key, version, offset, bytes, cancel) is { } open ? new(open.Content, open.Bytes, open.ETag) : null;

    public async ValueTask Write(AccountId account, string bucket, string key, Stream content, string contentType, CancellationToken cancel) =>
        await objects.Write(account, bucket, key, content, contentType, cancel);

    public Uri Presign(Role role, string region, string bucket, string key, TimeSpan lifetime) =>
        objects.Presign(role, "GET", Endpoint(), region, bucket, key, lifetime);

    /// <summary>By name and TLS where the platform has a name, else the plain port of this machine.</summary>
    Uri Endpoint()
    {
        List<int> bound = [.. (server?.Features.Get<IServerAddressesFeature>()?.Addresses ?? []).Select(a => new Uri(a).Port)];
        return options.HostName is { } name
            ? new UriBuilder("https", name, Port(options.Https, 1)).Uri
            : new UriBuilder("http", "localhost", Port(options.Http, 0)).Uri;

        // In the order of Listeners.Configure.
        int Port(int asked, int at) => asked != 0 || bound.Count <= at ? asked : bound[at];
    }
}

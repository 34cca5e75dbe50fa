using Althing.Core;
using Althing.Identity;
using Althing.ObjectStore;
using Althing.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Althing.Host;

/// <summary>Joins registration and the object store, which do not know each other.</summary>
sealed class ObjectFiles(ObjectAccess objects, HostOptions options, IServer? server = null) : IObjectFiles
{
    public async ValueTask<ObjectFile?> Open(AccountId account, string bucket, string key, long offset, CancellationToken cancel) =>
        await objects.Open(account, bucket, key, version: null, offset, bytes: null, cancel) is { } open ? new(open.Content, open.Bytes, open.ETag) : null;

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

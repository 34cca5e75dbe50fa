using System.Reflection;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Buckets;
using Althing.ObjectStore.Bytes;
using Althing.ObjectStore.Elsewhere;
using Althing.ObjectStore.Listing;
using Althing.ObjectStore.Objects;
using Althing.ObjectStore.Uploads;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Althing.ObjectStore;

/// <summary>Buckets and objects, as Amazon S3 has them (<c>s3</c>).</summary>
public static class ObjectStoreService
{
    /// <summary>Hand it to <c>AddAwsApis</c>.</summary>
    public static Assembly Assembly => typeof(ObjectStoreService).Assembly;

    /// <summary>Registers what the operations need besides storage and the front door.</summary>
    /// <param name="endpoint">Another service where new buckets are kept; null to keep them here.</param>
    public static IServiceCollection AddObjectStore(this IServiceCollection services, ObjectEndpoint? endpoint = null) =>
        (endpoint is null ? services : services.AddSingleton(endpoint).AddSingleton<RemoteStore>())
        .AddSingleton<IBlobs>(p => p.GetRequiredService<PlatformStorage>().Blobs)
        .AddSingleton<BucketStore>()
        .AddSingleton<UploadStore>()
        .AddSingleton<ContentKeeper>()
        .AddSingleton<ObjectShelf>()
        .AddSingleton<ObjectFinder>()
        .AddSingleton<ObjectWriter>()
        .AddSingleton<PartWriter>()
        .AddSingleton<KeyListing>()
        .AddSingleton(p => new ObjectAccess(
            p.GetRequiredService<ObjectShelf>(), p.GetRequiredService<ObjectWriter>(), p.GetRequiredService<ContentKeeper>(),
            p.GetRequiredService<BucketStore>(), p.GetRequiredService<SigningKeys>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<Forwarding>(), p.GetRequiredService<RemoteAccess>()))
        .AddSingleton<RemoteBuckets>()
        .AddSingleton<RemoteAccess>()
        .AddSingleton<Forwarding>()
        .AddSingleton<CarriedOutElsewhere>(p => p.GetRequiredService<Forwarding>().Forward)
        .AddSingleton<Console.PresignedLinks>()
        .AddSingleton(Console.ObjectConsole.Module)
        .AddSingleton<Upkeep>()
        .AddHostedService(p => p.GetRequiredService<Upkeep>());

    /// <summary>Gives a bucket that the other service has to an account, once and for all.</summary>
    /// <param name="region">The region that clients are told.</param>
    /// <exception cref="InvalidOperationException">The name is no bucket's, or is taken by another one.</exception>
    public static Task Adopt(IStore store, string bucket, AccountId owner, string region, TimeProvider time, CancellationToken cancel) =>
        RemoteBuckets.Adopt(store, bucket, owner, region, time, cancel);
}

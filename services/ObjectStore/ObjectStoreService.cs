using System.Reflection;
using Althing.Identity;
using Althing.ObjectStore.Buckets;
using Althing.ObjectStore.Bytes;
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
    public static IServiceCollection AddObjectStore(this IServiceCollection services) => services
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
            p.GetRequiredService<BucketStore>(), p.GetRequiredService<SigningKeys>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton<Console.PresignedLinks>()
        .AddSingleton(Console.ObjectConsole.Module)
        .AddSingleton<Upkeep>()
        .AddHostedService(p => p.GetRequiredService<Upkeep>());
}

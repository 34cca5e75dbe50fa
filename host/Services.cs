using System.Reflection;
using Althing.Api;
using Althing.Broker;
using Althing.Commands;
using Althing.Core;
using Althing.Core.Endpoints;
using Althing.Design;
using Althing.Iam;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Jobs;
using Althing.ObjectStore;
using Althing.Ota;
using Althing.Shell;
using Althing.Storage;
using Althing.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Host;

/// <summary>What the platform is made of: one line per service.</summary>
static class Services
{
    /// <summary>The assemblies whose operations are served.</summary>
    static readonly Assembly[] Apis = [CoreService.Assembly, IamService.Assembly, ObjectStoreService.Assembly, JobsService.Assembly, CommandsService.Assembly, OtaService.Assembly];

    /// <summary>Everything but listeners: what <c>up</c> serves and what the other commands call in process.</summary>
    public static IServiceCollection Add(IServiceCollection services, PlatformStorage storage, HostOptions options, AccountId account) => services
        .AddSingleton(TimeProvider.System)
        .AddSingleton(storage)
        .AddSingleton(storage.Store)
        .AddSingleton(MasterKey.Open(storage.Folder))
        .AddSingleton(p => new ConsolePassword(storage.Folder, p.GetRequiredService<TimeProvider>()))
        .AddSingleton(p => new PlatformPki(storage.Folder, options.HostName is { } name ? [name] : [], p.GetRequiredService<TimeProvider>()))
        .AddSingleton(new EndpointOptions
        {
            HostName = options.HostName ?? "localhost",
            // Its clients build an address from it without adding a port.
            CredentialProviderAddress = options.Https is 0 or 443 ? null : $"{options.HostName ?? "localhost"}:{options.Https}",
        })
        .AddSingleton(new VirtualHosts(options.HostName is { } own ? [own] : []))
        .AddMqttBroker(options.Broker)
        .AddSingleton<IHealthProbe, StorageProbe>()
        .AddSingleton<IHealthProbe, BrokerProbe>()
        .AddAwsApis(Apis)
        .AddSingleton(options)
        .AddSingleton(new ConsoleDefaults(account, options.Region))
        .AddConsole(storage.Folder)
        .AddCore()
        .AddIam()
        .AddObjectStore(options.Objects)
        .AddJobs()
        .AddCommands()
        .AddOta()
        .AddSingleton<IObjectFiles, ObjectFiles>();
}

using System.Reflection;
using Althing.Api;
using Althing.Core.Authority;
using Althing.Core.BillingGroups;
using Althing.Core.Connectivity;
using Althing.Core.Endpoints;
using Althing.Core.Events;
using Althing.Core.Principals;
using Althing.Core.Provisioning;
using Althing.Core.RoleAliases;
using Althing.Core.Shadows;
using Althing.Core.Tags;
using Althing.Core.ThingGroups;
using Althing.Core.Things;
using Althing.Core.ThingTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Core;

/// <summary>AWS IoT Core: registry, certificates, policies, data endpoint.</summary>
public static class CoreService
{
    /// <summary>Where its operations are.</summary>
    public static Assembly Assembly => typeof(CoreService).Assembly;

    /// <summary>
    /// Registers the service; its operations are served when this assembly is given to <see cref="ApiServices.AddAwsApis"/>. Needs a
    /// <see cref="Althing.Broker.MqttBroker"/>, an <see cref="Endpoints.EndpointOptions"/> and a <see cref="Althing.Identity.Pki.PlatformPki"/>.
    /// </summary>
    public static IServiceCollection AddCore(this IServiceCollection services)
    {
        services.AddSingleton<RegistryEvents>();
        services.AddSingleton<IEventMessages>(p => p.GetRequiredService<RegistryEvents>());
        services.AddSingleton<RegistryChanges>();
        services.AddSingleton<RegistryCommit>();
        services.AddHostedService<EventsLeft>();
        services.AddSingleton<CertificateCaller>(p => p.GetRequiredService<DeviceCallers>().Identify);
        services.AddSingleton<ThingStore>();
        services.AddSingleton<ThingTypeStore>();
        services.AddSingleton<ThingGroupStore>();
        services.AddSingleton<GroupMemberships>();
        services.AddSingleton<BillingGroupStore>();
        services.AddSingleton<ThingPrincipalStore>();
        services.AddSingleton<Taggable>();
        services.AddSingleton<IRegistry, Registry>();
        services.AddSingleton<TopicAnswers>();
        services.AddSingleton<ConnectivityKeeper>();
        services.AddHostedService(p => p.GetRequiredService<ConnectivityKeeper>());
        services.AddHostedService<ChangesBetweenNodes>();
        services.AddSingleton<ShadowDesk>();
        services.AddHostedService<ShadowTopics>();
        services.AddSingleton(Console.CoreConsole.Module);
        services.AddProvisioning();
        CoreSecurity.Add(services);
        return services;
    }

    /// <summary>
    /// Holds requests to the domain configuration of the name that they came under, and serves MQTT over WebSocket at <c>/mqtt</c>. Stand
    /// before the APIs: its signatures are in the query.
    /// </summary>
    public static IApplicationBuilder UseDeviceDoors(this IApplicationBuilder app)
    {
        var gate = app.ApplicationServices.GetRequiredService<DomainGate>();
        var door = app.ApplicationServices.GetRequiredService<WebSocketDoor>();
        return app
            .UseWhen(http => http.Request.IsHttps, secure => secure.Use(next => http => gate.Pass(http, next)))
            .MapWhen(CredentialDoor.Takes, branch => branch.Run(branch.ApplicationServices.GetRequiredService<CredentialDoor>().Handle))
            .MapWhen(http => http.Request.Path == WebSocketDoor.Path, branch => branch.UseWebSockets().Run(door.Handle));
    }
}

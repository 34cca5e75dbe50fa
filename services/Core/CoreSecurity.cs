using Althing.Api;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Core.CaCertificates;
using Althing.Core.Certificates;
using Althing.Core.CustomAuthorizers;
using Althing.Core.DomainConfigurations;
using Althing.Core.Endpoints;
using Althing.Core.Logging;
using Althing.Core.Policies;
using Althing.Core.RoleAliases;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Althing.Core;

/// <summary>What certificates, policies and the devices' authority consist of.</summary>
static class CoreSecurity
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<Listing>();
        services.AddSingleton<PolicyStore>();
        services.AddSingleton<PolicyTargets>();
        services.AddSingleton<CertificateStore>();
        services.AddSingleton<CertificateTransfers>();
        services.AddSingleton<CaStore>();
        services.AddSingleton<FirstContact>();
        services.AddSingleton<PlatformPublish>(p => (account, message, cancel) => p.GetRequiredService<MqttBroker>().Publish(account, message, cancel));
        services.AddSingleton<PlatformAudience>(p => p.GetRequiredService<MqttBroker>().IsHeard);
        services.AddSingleton<ServerNames>();
        services.AddSingleton<DomainGate>();
        services.AddSingleton<ServerCertificateShelf>();
        services.AddSingleton(p => new DeviceTls(
            p.GetRequiredService<PlatformPki>(), p.GetRequiredService<ServerNames>(), p.GetRequiredService<ServerCertificateShelf>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IotLog>();
        services.AddSingleton<SharedRights>();
        services.AddSingleton<RightsReader>();
        services.AddSingleton<RightsKeeper>();
        services.AddSingleton(p => MakeUsers(p));
        services.AddSingleton<DefaultEndpoints>();
        services.AddSingleton(p => new DeviceCallers(p.GetRequiredService<IDeviceAuthority>(), p.GetRequiredService<RightsReader>()));
        services.AddSingleton<DeviceAuthority>();
        services.AddSingleton<IDeviceAuthority>(p => p.GetRequiredService<DeviceAuthority>());
        services.AddSingleton<AuthorizerFunctions>();
        services.AddSingleton<AuthorizerDesk>();
        services.AddSingleton<CustomCallers>();
        services.AddSingleton<TokenCaller>(p => p.GetRequiredService<CustomCallers>().Identify);
        services.AddSingleton<WebSocketDoor>();
        services.AddSingleton<CredentialDoor>();
        services.TryAddSingleton<FirstStart>();
    }

    static MqttUsers MakeUsers(IServiceProvider services)
    {
        var users = new MqttUsers(services.GetRequiredService<IStore>(), services.GetRequiredService<TimeProvider>());
        users.Deleted += (account, name) => services.GetRequiredService<RightsKeeper>().Note(account, RightsKeeper.UserKey(name));
        return users;
    }
}

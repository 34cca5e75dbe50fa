using Althing.Broker;
using Althing.Core.Authority;
using Althing.Core.Certificates;
using Althing.Core.Endpoints;
using Althing.Core.Logging;
using Althing.Core.Policies;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;

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
        services.AddSingleton<ServerNames>();
        services.AddSingleton<IotLog>();
        services.AddSingleton<SharedRights>();
        services.AddSingleton<RightsReader>();
        services.AddSingleton<RightsKeeper>();
        services.AddSingleton(p => MakeUsers(p));
        services.AddSingleton<IDeviceAuthority, DeviceAuthority>();
    }

    static MqttUsers MakeUsers(IServiceProvider services)
    {
        var users = new MqttUsers(services.GetRequiredService<IStore>(), services.GetRequiredService<TimeProvider>());
        users.Deleted += (account, name) => services.GetRequiredService<RightsKeeper>().Note(account, RightsKeeper.UserKey(name));
        return users;
    }
}

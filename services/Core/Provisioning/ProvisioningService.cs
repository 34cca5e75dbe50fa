using Althing.Core.BillingGroups;
using Althing.Core.Certificates;
using Althing.Core.Provisioning.Bulk;
using Althing.Core.Provisioning.Fleet;
using Althing.Core.ThingGroups;
using Althing.Core.ThingTypes;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Core.Provisioning;

/// <summary>How devices come into being: templates, fleet provisioning, just-in-time provisioning, bulk registration.</summary>
static class ProvisioningService
{
    public static IServiceCollection AddProvisioning(this IServiceCollection services)
    {
        services.AddSingleton(p => new DraftSources(
            p.GetRequiredService<IStore>(), p.GetRequiredService<ThingTypeStore>(), p.GetRequiredService<BillingGroupStore>(),
            p.GetRequiredService<GroupMemberships>(), p.GetRequiredService<CertificateStore>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<DeviceIssuer>();
        services.AddSingleton<Provisioner>();
        services.AddSingleton<PreProvisioning>();
        services.AddSingleton<JustInTime>();
        services.AddSingleton<FleetDesk>();
        services.AddSingleton<FleetUpkeep>();
        services.AddHostedService<FleetTopics>();
        services.AddSingleton<BulkWorker>();
        services.AddHostedService(p => p.GetRequiredService<BulkWorker>());
        return services;
    }
}

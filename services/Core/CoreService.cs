using Althing.Api;
using Althing.Core.Authority;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Core;

/// <summary>AWS IoT Core: registry, certificates, policies, data endpoint.</summary>
public static class CoreService
{
    /// <summary>
    /// Registers the service; its operations are served when this assembly is given to <see cref="ApiServices.AddAwsApis"/>. Needs a
    /// <see cref="Althing.Broker.MqttBroker"/>, an <see cref="Endpoints.EndpointOptions"/> and a <see cref="Althing.Identity.Pki.PlatformPki"/>.
    /// </summary>
    public static IServiceCollection AddCore(this IServiceCollection services)
    {
        services.AddSingleton<RegistryChanges>();
        services.AddSingleton<CertificateCaller>(p => p.GetRequiredService<DeviceCallers>().Identify);
        CoreSecurity.Add(services);
        return services;
    }
}

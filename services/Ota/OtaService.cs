using System.Reflection;
using Althing.Core;
using Althing.Ota.Delivery;
using Althing.Ota.Streams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Althing.Ota;

/// <summary>Files to devices: MQTT-based file delivery.</summary>
public static class OtaService
{
    /// <summary>Where its operations are.</summary>
    public static Assembly Assembly => typeof(OtaService).Assembly;

    /// <summary>
    /// Registers the service; its operations are served when this assembly is given to <c>AddAwsApis</c>. Needs IoT Core, a
    /// <see cref="Althing.Broker.MqttBroker"/> and an <see cref="IObjectFiles"/>.
    /// </summary>
    public static IServiceCollection AddOta(this IServiceCollection services)
    {
        services.TryAddSingleton(new StreamLimits());
        services.AddSingleton<StreamSources>();
        services.AddSingleton<RangeCache>();
        services.AddSingleton<BlockReader>();
        services.AddSingleton<DeliveryDesk>();
        services.AddHostedService<StreamTopics>();
        services.AddSingleton(p => new TaggedKind("stream", p.GetRequiredService<StreamSources>().TagsOf));
        return services;
    }
}

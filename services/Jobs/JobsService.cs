using System.Reflection;
using Althing.Core;
using Althing.Jobs.Devices;
using Althing.Jobs.Executions;
using Althing.Jobs.Rollout;
using Althing.Jobs.Templates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Althing.Jobs;

/// <summary>AWS IoT Jobs: remote operations on things, and what becomes of them.</summary>
public static class JobsService
{
    /// <summary>Where its operations are.</summary>
    public static Assembly Assembly => typeof(JobsService).Assembly;

    /// <summary>
    /// Registers the service; its operations are served when this assembly is given to <c>AddAwsApis</c>. Needs IoT Core and a
    /// <see cref="Althing.Broker.MqttBroker"/>. An <see cref="IObjectFiles"/> lets documents and files be objects.
    /// </summary>
    public static IServiceCollection AddJobs(this IServiceCollection services)
    {
        services.TryAddSingleton(new JobLimits());
        services.AddSingleton<JobStore>();
        services.AddSingleton<TemplateStore>();
        services.AddSingleton<DocumentTexts>();
        services.AddSingleton<JobEvents>();
        services.AddSingleton<JobNotices>();
        services.AddSingleton<ExecutionDesk>();
        services.AddSingleton<JobWatch>();
        services.AddSingleton<JobWorker>();
        services.AddSingleton<DueTimes>();
        services.AddSingleton<MembershipKeeper>();
        services.AddHostedService(p => p.GetRequiredService<JobWatch>());
        services.AddHostedService(p => p.GetRequiredService<JobWorker>());
        services.AddHostedService(p => p.GetRequiredService<DueTimes>());
        services.AddHostedService(p => p.GetRequiredService<MembershipKeeper>());
        services.AddHostedService<JobTopics>();
        services.AddSingleton(p => new TaggedKind("job", p.GetRequiredService<JobStore>().TagsOf));
        services.AddSingleton(p => new TaggedKind(TemplateStore.ResourceType, p.GetRequiredService<TemplateStore>().TagsOf));
        services.AddSingleton(Console.JobsConsole.Module);
        return services;
    }
}

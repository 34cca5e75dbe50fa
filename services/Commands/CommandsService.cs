using System.Reflection;
using Althing.Commands.Devices;
using Althing.Commands.Executions;
using Althing.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Commands;

/// <summary>AWS IoT Device Management commands: instructions that are sent to one device at a time, and what becomes of them.</summary>
public static class CommandsService
{
    /// <summary>Where its operations are.</summary>
    public static Assembly Assembly => typeof(CommandsService).Assembly;

    /// <summary>Registers the service; its operations are served when this assembly is given to <c>AddAwsApis</c>. Needs IoT Core and a broker.</summary>
    public static IServiceCollection AddCommands(this IServiceCollection services) => services
        .AddSingleton<CommandStore>()
        .AddSingleton<CommandDesk>()
        .AddSingleton<CommandTimes>()
        .AddHostedService(p => p.GetRequiredService<CommandTimes>())
        .AddHostedService<CommandTopics>()
        .AddSingleton(p => new TaggedKind("command", p.GetRequiredService<CommandStore>().TagsOf));
}

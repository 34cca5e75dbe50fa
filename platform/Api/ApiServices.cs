using System.Reflection;
using Althing.Api.SigV4;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Althing.Api;

/// <summary>Registers the front door.</summary>
public static class ApiServices
{
    /// <summary>
    /// Serves the operations of these services. Needs <see cref="IStore"/>, <see cref="MasterKey"/>, <see cref="PlatformStorage"/> and
    /// <see cref="TimeProvider"/>; a <see cref="ThrottleOptions"/> registered before stays.
    /// </summary>
    /// <param name="assemblies">The services whose operations are served.</param>
    public static IServiceCollection AddAwsApis(this IServiceCollection services, params IReadOnlyList<Assembly> assemblies)
    {
        services.TryAddSingleton<SigningKeys>();
        services.TryAddSingleton(new ThrottleOptions());
        return services
            .AddSingleton(provider => new OperationCatalog(assemblies, provider))
            .AddSingleton<IdempotencyStore>()
            .AddSingleton<OperationRunner>()
            .AddSingleton<NotedRunner>()
            .AddSingleton<ApiClient>()
            .AddSingleton<SigV4Verifier>()
            .AddSingleton<TagStore>()
            .AddSingleton(provider => new PageTokens(provider.GetRequiredService<MasterKey>().Derive("page-tokens")))
            .AddSingleton(provider => new AuditLog(
                provider.GetRequiredService<PlatformStorage>().Folder, provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<AuditLog>>()))
            .AddSingleton<ApiDoor>();
    }

    /// <summary>Answers the requests that are for an API (see <see cref="ApiDoor.Claims"/>) and lets all others pass. Stand before pages.</summary>
    public static IApplicationBuilder UseAwsApis(this IApplicationBuilder app)
    {
        var door = app.ApplicationServices.GetRequiredService<ApiDoor>();
        return app.Use(next => http => door.Claims(http.Request) ? door.Handle(http) : next(http));
    }

    /// <summary>Answers every request that is left: the end of the pipeline where no page is.</summary>
    public static void RunAwsApis(this IApplicationBuilder app) => app.Run(app.ApplicationServices.GetRequiredService<ApiDoor>().Handle);
}

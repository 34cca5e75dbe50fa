using System.Reflection;
using Althing.Api.SigV4;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Api;

/// <summary>Registers the front door.</summary>
public static class ApiServices
{
    /// <param name="assemblies">The services whose operations are served.</param>
    public static IServiceCollection AddAwsApis(this IServiceCollection services, params IReadOnlyList<Assembly> assemblies) => services
        .AddSingleton(provider => new OperationCatalog(assemblies, provider))
        .AddSingleton<OperationRunner>()
        .AddSingleton<ApiClient>()
        .AddSingleton<SigV4Verifier>()
        .AddSingleton<SigningKeys>()
        .AddSingleton<TagStore>()
        .AddSingleton(provider => new PageTokens(provider.GetRequiredService<MasterKey>().Derive("page-tokens")))
        .AddSingleton(provider => new AuditLog(provider.GetRequiredService<PlatformStorage>().Folder, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(new ThrottleOptions())
        .AddSingleton<ApiDoor>();
}

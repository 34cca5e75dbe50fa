using System.Reflection;
using Althing.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Althing.Iam;

/// <summary>Users, roles and their keys (<c>iam</c>), and who is calling (<c>sts</c>): as much of both as owners of an IoT platform need; and accounts (<c>althing</c>).</summary>
public static class IamService
{
    /// <summary>Hand it to <c>AddAwsApis</c>.</summary>
    public static Assembly Assembly => typeof(IamService).Assembly;

    /// <summary>Registers what the operations need besides storage and the front door.</summary>
    public static IServiceCollection AddIam(this IServiceCollection services)
    {
        services.TryAddSingleton<SigningKeys>();
        services.TryAddSingleton<FirstStart>();
        return services.AddSingleton<IamStore>().AddSingleton<IamListing>();
    }
}

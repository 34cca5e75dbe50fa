using System.Reflection;
using Althing.Api;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Tests.Wire;

/// <summary>Every operation that the product serves: those of all assemblies beside the tests, so that no service can be forgotten.</summary>
static class Served
{
    public static IReadOnlyList<Assembly> Assemblies { get; } =
    [
        .. from file in Directory.GetFiles(AppContext.BaseDirectory, "Althing.*.dll")
           let name = Path.GetFileNameWithoutExtension(file)
           where name is not ("Althing.Tests" or "Althing.Bench")
           orderby name
           select Assembly.Load(name),
    ];

    /// <summary>The catalog alone: enough to read declarations, not to call.</summary>
    public static OperationCatalog Catalog { get; } = new(Assemblies, new ServiceCollection().BuildServiceProvider());

    public static IEnumerable<OperationInfo> Operations => Catalog.All.OrderBy(o => o.Api.Name, StringComparer.Ordinal).ThenBy(o => o.Name, StringComparer.Ordinal);

    public static OperationInfo Find(string api, string name) => Catalog.Find(api, name)!;

    /// <summary>API and name of every operation, for theories.</summary>
    public static IEnumerable<(string, string)> Names => Operations.Select(o => (o.Api.Name, o.Name));
}

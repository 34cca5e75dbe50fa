using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace Althing.Api;

/// <summary>Every operation of every API that this process serves, by API and name, and their routes.</summary>
public sealed class OperationCatalog
{
    readonly Dictionary<(string Api, string Name), OperationInfo> byName = [];
    readonly Dictionary<string, RouteTable> routes = new(StringComparer.Ordinal);
    readonly Dictionary<string, ObjectRoutes> objectRoutes = new(StringComparer.Ordinal);
    readonly Dictionary<string, AwsApi> apis = new(StringComparer.Ordinal);

    /// <param name="assemblies">The services: all their classes with <see cref="OperationAttribute{TApi}"/> are served.</param>
    public OperationCatalog(IEnumerable<Assembly> assemblies, IServiceProvider services)
    {
        foreach (var type in assemblies.Distinct().SelectMany(a => a.GetTypes()).Where(t => !t.IsAbstract && t.IsAssignableTo(typeof(Operation))))
        {
            var attribute = type.GetCustomAttribute<OperationAttribute>()
                ?? throw new InvalidOperationException($"{type} is an operation without [Operation<…>].");
            Add(new(type, attribute, AwsApi.Of(attribute.Api), services));
        }
    }

    public IEnumerable<OperationInfo> All => byName.Values;
    public IEnumerable<AwsApi> Apis => apis.Values;

    public OperationInfo? Find(string api, string name) => byName.GetValueOrDefault((api, name));

    /// <summary>Finds the operation that method and raw path mean in one API.</summary>
    public OperationInfo? Match(AwsApi api, string method, string rawPath) => routes.GetValueOrDefault(api.Name)?.Find(method, rawPath);

    /// <summary>Finds the operation of a REST-XML API that a request with this bucket and key means.</summary>
    internal OperationInfo? Match(AwsApi api, HttpRequest request, ObjectPath path) => objectRoutes.GetValueOrDefault(api.Name)?.Find(request, path, api.Subresources);

    void Add(OperationInfo operation)
    {
        byName.Add((operation.Api.Name, operation.Name), operation);
        apis.TryAdd(operation.Api.Name, operation.Api);
        if (operation.Template is null)
            return;
        if (operation.Api.Protocol == WireProtocol.RestXml)
        {
            if (!objectRoutes.TryGetValue(operation.Api.Name, out var objects))
                objectRoutes[operation.Api.Name] = objects = new();
            objects.Add(operation);
            return;
        }
        if (!routes.TryGetValue(operation.Api.Name, out var table))
            routes[operation.Api.Name] = table = new();
        table.Add(operation);
    }
}

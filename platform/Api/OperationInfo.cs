using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Api;

/// <summary>An operation as declared: its route, its members and where they travel. Built once at start from the class.</summary>
public sealed class OperationInfo
{
    readonly Lazy<Operation> instance;
    readonly string? invalid;
    readonly Lazy<IReadOnlyList<MemberInfo>> requestMembers;
    readonly Lazy<IReadOnlyList<MemberInfo>> responseMembers;
    readonly Lazy<MemberInfo?> tokenMember;

    internal OperationInfo(Type type, OperationAttribute attribute, AwsApi api, IServiceProvider services)
    {
        Type = type;
        Api = api;
        Name = type.Name;
        Status = attribute.Status;
        invalid = attribute.Invalid;
        if (attribute.Route is { } route)
        {
            var space = route.IndexOf(' ', StringComparison.Ordinal);
            (Method, Template) = (route[..space], route[(space + 1)..]);
        }
        NeedsHeader = attribute.NeedsHeader;
        IsReadOnly = attribute.ReadOnly || Method == "GET" || Method == "HEAD";
        var shapes = ShapesOf(type);
        (RequestType, ResponseType) = (shapes[0], shapes[1]);
        instance = new(() => (Operation)ActivatorUtilities.CreateInstance(services, type));
        requestMembers = new(() => MemberInfo.Of(RequestType, api.Json));
        tokenMember = new(() => RequestMembers.FirstOrDefault(m => m.Property.IsDefined(typeof(IdempotencyTokenAttribute), inherit: false)));
        RoutePath = (Template ?? "").Split('?')[0];
        if (attribute.LastLabelTakesSlashes)
            RoutePath = RoutePath[..^1] + "+}";
        LabelSegments = [.. RoutePath.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(s => s.StartsWith('{') ? s.Trim('{', '}') : null)];
        responseMembers = new(() => MemberInfo.Of(ResponseType, api.Json));
    }

    public AwsApi Api { get; }
    public string Name { get; }
    public Type Type { get; }
    public string? Method { get; }

    /// <summary>The path with <c>{labels}</c>, as in the model; null when the operation is named in a header or form field.</summary>
    public string? Template { get; }
    public int Status { get; }
    internal string? NeedsHeader { get; }
    public bool IsReadOnly { get; }
    public Type RequestType { get; }
    public Type ResponseType { get; }
    public IReadOnlyList<MemberInfo> RequestMembers => requestMembers.Value;
    public IReadOnlyList<MemberInfo> ResponseMembers => responseMembers.Value;

    /// <summary>The member that carries the idempotency token, if there is one.</summary>
    public MemberInfo? TokenMember => tokenMember.Value;

    /// <summary>The path that is matched: the template without a query, a greedy label marked with a plus.</summary>
    internal string RoutePath { get; } = "";

    /// <summary>The names of the path's labels by segment, null for literal segments; a greedy one keeps its plus.</summary>
    internal IReadOnlyList<string?> LabelSegments { get; }
    internal Operation Instance => instance.Value;

    /// <summary>The operation's own exception for input that breaks a constraint.</summary>
    internal ServiceException Invalid(string message) => invalid is null ? Api.Invalid(message) : new(invalid, 400, message);

    static Type[] ShapesOf(Type type)
    {
        for (var t = type.BaseType; t is not null; t = t.BaseType)
        {
            if (t.IsGenericType && t.GetGenericTypeDefinition() == typeof(Operation<,>))
                return t.GetGenericArguments();
        }
        throw new InvalidOperationException($"{type} carries [Operation] but does not derive from Operation<TRequest, TResponse>.");
    }
}

/// <summary>One member of a request or response record.</summary>
public sealed record MemberInfo(PropertyInfo Property, string JsonName, LocationAttribute? Location, bool Required)
{
    /// <summary>The name in path, query or header.</summary>
    public string WireName => Location?.Name ?? JsonName;

    internal static IReadOnlyList<MemberInfo> Of(Type shape, JsonSerializerOptions json) =>
    [
        .. from property in shape.GetProperties(BindingFlags.Public | BindingFlags.Instance)
           where property.GetCustomAttribute<JsonIgnoreAttribute>() is null && property.Name != "EqualityContract"
           let name = property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
               ?? json.PropertyNamingPolicy?.ConvertName(property.Name) ?? property.Name
           select new MemberInfo(property, name, property.GetCustomAttribute<LocationAttribute>(),
               property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null),
    ];
}

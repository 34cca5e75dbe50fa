namespace Althing.Api;

/// <summary>Marks an operation class. Its class name is the operation's name in the API.</summary>
/// <param name="route">Method and path as in the API's model, <c>"POST /things/{thingName}"</c>; left out for APIs that name the operation in a header or form field.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OperationAttribute<TApi>(string? route = null) : OperationAttribute(typeof(TApi), route) where TApi : IAwsApi;

/// <summary>See <see cref="OperationAttribute{TApi}"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class OperationAttribute(Type api, string? route) : Attribute
{
    public Type Api { get; } = api;
    public string? Route { get; } = route;

    /// <summary>The status of a success; 200 unless the model says otherwise.</summary>
    public int Status { get; init; } = 200;

    /// <summary>
    /// The last label takes the rest of the path, slashes and all, though the model does not say so: devices write topics as they are,
    /// SDKs percent-encode their slashes, and AWS takes both.
    /// </summary>
    public bool LastLabelTakesSlashes { get; init; }

    /// <summary>A header that must be there for a request to mean this operation, for two that share their route.</summary>
    public string? NeedsHeader { get; init; }

    /// <summary>The exception for input that breaks a constraint, with status 400, where it is not the API's own: younger operations of old APIs have another.</summary>
    public string? Invalid { get; init; }

    /// <summary>Set for operations that change nothing although their method is not GET: they stay out of the audit log.</summary>
    public bool ReadOnly { get; init; }
}

/// <summary>The member travels in the path, under its own name or this one.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LabelAttribute(string? name = null) : LocationAttribute(name);

/// <summary>The member travels in the query string.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class QueryAttribute(string? name = null) : LocationAttribute(name);

/// <summary>The member travels in a header of this name.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HeaderAttribute(string name) : LocationAttribute(name);

/// <summary>The member is a map of all headers that begin with this prefix, under what follows it in lower case.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HeadersAttribute(string prefix) : LocationAttribute(prefix);

/// <summary>The member is the whole body: raw for byte arrays, JSON otherwise.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PayloadAttribute() : LocationAttribute(null);

/// <summary>A response's integer member that is the HTTP status itself.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class StatusCodeAttribute() : LocationAttribute(null);

/// <summary>
/// The member is the client's name for this very call: the same token with the same request answers what the first call answered, and with
/// another request is refused, for 24 hours. See <see cref="IdempotencyStore"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class IdempotencyTokenAttribute : Attribute;

/// <summary>Where a member travels when that is not the JSON body.</summary>
[AttributeUsage(AttributeTargets.Property)]
public abstract class LocationAttribute(string? name) : Attribute
{
    /// <summary>The name on the wire; null for the member's own.</summary>
    public string? Name { get; } = name;
}

/// <summary>The member's name on the wire where it is not the camel-cased property name is given by JsonPropertyName.
/// Length of a string in characters, or of a list or map in entries.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LengthAttribute(int min, int max = int.MaxValue) : Attribute
{
    public int Min { get; } = min;
    public int Max { get; } = max;
}

/// <summary>Smallest and largest value of a number, both allowed.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeAttribute(double min, double max = double.MaxValue) : Attribute
{
    public double Min { get; } = min;
    public double Max { get; } = max;
}

/// <summary>A regular expression that the whole string must match, as in the model.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternAttribute(string expression) : Attribute
{
    public string Expression { get; } = expression;
}

/// <summary>The values that a string may have, as in the model's enum. On a list: each element.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OneOfAttribute(params string[] values) : Attribute
{
    public IReadOnlyList<string> Values { get; } = values;
}

/// <summary>Limits on each element of a list, or each value of a map.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EachAttribute : Attribute
{
    public int LengthMin { get; init; }
    public int LengthMax { get; init; } = int.MaxValue;
    public string? Pattern { get; init; }

    /// <summary>Limits on each key of a map.</summary>
    public int KeyLengthMin { get; init; }
    public int KeyLengthMax { get; init; } = int.MaxValue;
    public string? KeyPattern { get; init; }
}

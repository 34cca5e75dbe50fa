using System.Diagnostics.CodeAnalysis;

namespace Althing.Api;

/// <summary>An Amazon resource name: <c>arn:partition:service:region:account:resource</c>. Region and account may be empty.</summary>
/// <remarks>"Identify AWS resources with Amazon Resource Names" (IAM User Guide).</remarks>
public sealed record Arn
{
    public string Partition { get; init; } = "aws";
    public required string Service { get; init; }
    public required string Region { get; init; }
    public required string Account { get; init; }

    /// <summary>All behind the fifth colon, such as <c>thing/pump-1</c>; it may hold colons itself.</summary>
    public required string Resource { get; init; }

    /// <summary>What stands before the first slash (or colon) of the resource: <c>thing</c>; empty when there is none.</summary>
    public string ResourceType => Divider is var at and > 0 ? Resource[..at] : "";

    /// <summary>What stands behind it: <c>pump-1</c>; the whole resource when it has no type.</summary>
    public string ResourceId => Resource[(Divider + 1)..];

    int Divider => Resource.IndexOfAny(['/', ':']);

    public static bool TryParse(string? text, [NotNullWhen(true)] out Arn? arn)
    {
        arn = null;
        var parts = text?.Split(':', 6);
        if (parts is not ["arn", { Length: > 0 } partition, { Length: > 0 } service, var region, var account, { Length: > 0 } resource])
            return false;
        arn = new() { Partition = partition, Service = service, Region = region, Account = account, Resource = resource };
        return true;
    }

    /// <param name="invalid">Makes the API's exception for a text that is no ARN.</param>
    public static Arn Parse(string text, Func<string, ServiceException> invalid) => TryParse(text, out var arn) ? arn
        : throw invalid($"'{text}' is not an ARN. It must have the form arn:aws:service:region:account:resource.");

    public override string ToString() => $"arn:{Partition}:{Service}:{Region}:{Account}:{Resource}";
}

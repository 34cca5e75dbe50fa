using System.Text.Json;

namespace Althing.Identity;

/// <summary>A policy as written by a person, parsed and checked: version, statements, actions, resources, conditions.</summary>
/// <remarks>"IAM JSON policy reference", and for devices "AWS IoT Core policies".</remarks>
public sealed class PolicyDocument
{
    /// <summary>Deeper than any policy is, shallow enough to cost nothing.</summary>
    const int DepthMax = 16;

    PolicyDocument(string json, IReadOnlyList<PolicyStatement> statements) => (Json, Statements) = (json, statements);

    /// <summary>The text it was parsed from.</summary>
    public string Json { get; }

    public IReadOnlyList<PolicyStatement> Statements { get; }

    /// <summary>Parses and checks a document.</summary>
    /// <exception cref="PolicyFormatException">The text is no policy; the message says which statement and member, and what to write instead.</exception>
    public static PolicyDocument Parse(string json, PolicyKind kind = PolicyKind.Identity)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = DepthMax, AllowDuplicateProperties = false });
            return new(json, new PolicyReader(kind).Read(document.RootElement));
        }
        catch (JsonException failure)
        {
            throw new PolicyFormatException($"The policy is not valid JSON: {Where(failure)}", null) { Line = failure.LineNumber + 1, Column = failure.BytePositionInLine + 1 };
        }
    }

    static string Where(JsonException failure)
    {
        var cut = failure.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var text = cut > 0 ? failure.Message[..cut] : failure.Message;
        return $"line {failure.LineNumber + 1}, column {failure.BytePositionInLine + 1}: {text}";
    }
}

/// <summary>Who a policy is for; it decides which members must and may be there.</summary>
public enum PolicyKind
{
    /// <summary>Attached to a user or role: no principal.</summary>
    Identity,

    /// <summary>An IoT policy attached to a certificate, identity or thing group.</summary>
    Iot,

    /// <summary>Says who may assume a role: a principal and no resource.</summary>
    Trust,
}

/// <summary>One statement of a policy.</summary>
public sealed record PolicyStatement
{
    public required int Index { get; init; }
    public string? Sid { get; init; }
    public required bool Allows { get; init; }

    /// <summary>Patterns of actions; with <see cref="ActionsExcluded"/> the statement is about all others.</summary>
    public required IReadOnlyList<string> Actions { get; init; }
    public bool ActionsExcluded { get; init; }
    public IReadOnlyList<string> Resources { get; init; } = ["*"];
    public bool ResourcesExcluded { get; init; }

    /// <summary>Principals of a trust policy, as <c>AWS:arn</c>, <c>Service:name</c> or <c>*</c>.</summary>
    public IReadOnlyList<string> Principals { get; init; } = [];
    public IReadOnlyList<PolicyCondition> Conditions { get; init; } = [];
}

/// <summary>One line of a Condition block.</summary>
/// <param name="Operator">As written, such as <c>StringLikeIfExists</c> or <c>ForAnyValue:StringEquals</c>.</param>
public sealed record PolicyCondition(string Operator, string Key, IReadOnlyList<string> Values);

/// <summary>A text that is no policy.</summary>
/// <param name="statement">The index of the statement at fault, from 0; null when the document as a whole is.</param>
public sealed class PolicyFormatException(string message, int? statement = null) : Exception(message)
{
    public int? Statement { get; } = statement;

    /// <summary>Line and column from 1, where the parser could tell.</summary>
    public long? Line { get; init; }
    public long? Column { get; init; }
}

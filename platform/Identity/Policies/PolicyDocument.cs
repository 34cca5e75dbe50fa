using System.Text;

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
        var utf8 = Encoding.UTF8.GetBytes(json);
        var places = new TextPlaces(utf8);
        try
        {
            var reader = new PolicyReader(kind);
            var statements = reader.Read(LocatedJson.Parse(utf8, DepthMax));
            return reader.Faults is [var first, ..] ? throw Exception(first, places) : new(json, statements);
        }
        catch (LocatedJsonException failure)
        {
            var (line, column) = places.Of(failure.At);
            throw new PolicyFormatException($"The policy is not valid JSON: line {line}, column {column}: {failure.Message}") { Line = line, Column = column };
        }
    }

    /// <summary>
    /// All that can be said of a text, in its order: what makes it no policy, and what makes it a doubtful one. For editors; a text without
    /// errors here is one that <see cref="Parse"/> takes.
    /// </summary>
    /// <param name="charactersMax">How long it may be, white space not counted; null for what AWS allows for this kind.</param>
    public static IReadOnlyList<PolicyProblem> Validate(string json, PolicyKind kind, int? charactersMax = null)
    {
        var utf8 = Encoding.UTF8.GetBytes(json);
        var places = new TextPlaces(utf8);
        try
        {
            var root = LocatedJson.Parse(utf8, DepthMax);
            var reader = new PolicyReader(kind);
            var statements = reader.Read(root);
            var faults = reader.Faults.Concat(PolicyAdvice.Of(json, kind, root, statements, charactersMax ?? PolicyAdvice.CharactersMax(kind)));
            return [.. faults.OrderBy(f => f.At).ThenByDescending(f => f.Severity).Select(f => Problem(f, places))];
        }
        catch (LocatedJsonException failure)
        {
            return [Problem(new(failure.At, PolicySeverity.Error, $"This is not valid JSON: {failure.Message}", null), places)];
        }
    }

    static PolicyProblem Problem(PolicyFault fault, TextPlaces places)
    {
        var (line, column) = places.Of(fault.At);
        return new(line, column, fault.Severity, fault.Message, fault.Statement);
    }

    static PolicyFormatException Exception(PolicyFault fault, TextPlaces places)
    {
        var (line, column) = places.Of(fault.At);
        return new(fault.Statement is { } index ? $"Statement {index + 1}: {fault.Message}" : fault.Message, fault.Statement) { Line = line, Column = column };
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
/// <param name="Operator">Such as <c>StringLikeIfExists</c> or <c>ForAnyValue:StringEquals</c>.</param>
public sealed record PolicyCondition(string Operator, string Key, IReadOnlyList<string> Values)
{
    internal ConditionOperator Parsed { get; } = ConditionOperator.Parse(Operator) ?? throw new ArgumentException($"'{Operator}' is no condition operator.");
}

/// <summary>A text that is no policy.</summary>
/// <param name="statement">The index of the statement at fault, from 0; null when the document as a whole is.</param>
public sealed class PolicyFormatException(string message, int? statement = null) : Exception(message)
{
    public int? Statement { get; } = statement;

    /// <summary>Line and column from 1, where the parser could tell.</summary>
    public long? Line { get; init; }
    public long? Column { get; init; }
}

namespace Althing.Identity;

/// <summary>A policy as written by a person, parsed and checked: version, statements, actions, resources, conditions.</summary>
/// <remarks>"IAM JSON policy reference", and for devices "AWS IoT Core policies".</remarks>
public sealed partial class PolicyDocument
{
    /// <summary>The text it was parsed from.</summary>
    public string Json { get; private init; } = "";

    /// <summary>Parses and checks a document.</summary>
    /// <exception cref="PolicyFormatException">The text is no policy; the message says which statement and member, and what to write instead.</exception>
    public static PolicyDocument Parse(string json) => throw new NotImplementedException(json);
}

/// <summary>A text that is no policy.</summary>
/// <param name="statement">The index of the statement at fault, from 0; null when the document as a whole is.</param>
public sealed class PolicyFormatException(string message, int? statement = null) : Exception(message)
{
    public int? Statement { get; } = statement;
}

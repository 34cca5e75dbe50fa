namespace Althing.Identity;

/// <summary>Something about the text of a policy.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in UTF-16 units.</param>
/// <param name="Message">What is wrong, and what to write instead.</param>
/// <param name="Statement">The statement it is about, from 0; null for the document as a whole.</param>
public sealed record PolicyProblem(int Line, int Column, PolicySeverity Severity, string Message, int? Statement);

public enum PolicySeverity
{
    /// <summary>The policy is valid but hardly what its author means.</summary>
    Warning,

    /// <summary>The text is no policy and will be refused.</summary>
    Error,
}

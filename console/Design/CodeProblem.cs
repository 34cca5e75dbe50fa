namespace Althing.Design;

/// <summary>Something wrong in a text that is being edited.</summary>
/// <param name="Line">From 1; 0 when it is about the whole.</param>
/// <param name="IsError">False for a warning, which does not hinder saving.</param>
public sealed record CodeProblem(int Line, int Column, string Message, bool IsError = true);

using Althing.Identity;

namespace Althing.Tests.Identity;

/// <summary>Policies written short, for tables of cases.</summary>
static class PolicyTables
{
    public static PolicyDocument Document(string statements, string version = "2012-10-17") =>
        PolicyDocument.Parse($$"""{"Version":"{{version}}","Statement":[{{statements}}]}""");

    /// <summary>Pairs of names and values: <c>aws:username=ann;aws:SourceIp=10.0.0.1</c>.</summary>
    public static Dictionary<string, string> Context(string pairs) =>
        pairs.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase);

    public static Effect Judge(PolicyDocument document, string action, string resource, string context = "") =>
        PolicyEvaluator.Evaluate([document], new(action, resource, Context(context))).Effect;
}

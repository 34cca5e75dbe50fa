using Althing.Identity;

namespace Althing.Core.Policies;

/// <summary>How listings show a policy; the model calls it Policy.</summary>
sealed record PolicySummary
{
    public string? PolicyName { get; init; }
    public string? PolicyArn { get; init; }

    public static PolicySummary Of(string name, Caller caller) => new() { PolicyName = name, PolicyArn = PolicyStore.Arn(name, caller) };
}

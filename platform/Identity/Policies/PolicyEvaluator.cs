namespace Althing.Identity;

/// <summary>The one evaluator of policies: IAM-style identity policies of API callers and IoT policies of devices.</summary>
/// <remarks>"Policy evaluation logic" (IAM User Guide): an explicit Deny wins, else an Allow, else denied.</remarks>
public static class PolicyEvaluator
{
    /// <summary>Judges one request against policies.</summary>
    public static Judgement Evaluate(IReadOnlyList<PolicyDocument> policies, in AccessRequest request)
    {
        List<int> allowedBy = [], deniedBy = [];
        for (var i = 0; i < policies.Count; i++)
        {
            foreach (var statement in policies[i].Statements)
            {
                if (Applies(statement, request))
                    (statement.Allows ? allowedBy : deniedBy).Add(i);
            }
        }
        var effect = deniedBy.Count > 0 ? Effect.ExplicitDeny : allowedBy.Count > 0 ? Effect.Allow : Effect.ImplicitDeny;
        return new(effect, [.. allowedBy.Distinct()], [.. deniedBy.Distinct()]);
    }

    static bool Applies(PolicyStatement statement, in AccessRequest request)
    {
        var action = request.Action;
        if (statement.Actions.Any(a => new Wildcard(a, ignoreCase: true).Matches(action)) == statement.ActionsExcluded)
            return false;
        return MatchesResource(statement, request) != statement.ResourcesExcluded && Conditions.Hold(statement.Conditions, request.Context);
    }

    static bool MatchesResource(PolicyStatement statement, in AccessRequest request)
    {
        foreach (var resource in statement.Resources)
        {
            if (PolicyText.Compile(resource, request.Context) is { } pattern && pattern.Matches(request.Resource))
                return true;
        }
        return false;
    }
}

/// <summary>What is asked: may this be done to that?</summary>
/// <param name="Action">For example <c>iot:CreateThing</c>; compared without case.</param>
/// <param name="Resource">The full ARN, or <c>*</c> for actions that have no resource.</param>
/// <param name="Context">
/// Values for <c>${…}</c> variables in resources and for condition keys. A variable without a value matches nothing (its statement does
/// not apply).
/// </param>
public readonly record struct AccessRequest(string Action, string Resource, IReadOnlyDictionary<string, string> Context);

public enum Effect { ImplicitDeny, Allow, ExplicitDeny }

/// <summary>The outcome, and which policies (by their place in the list) decided it.</summary>
public readonly record struct Judgement(Effect Effect, IReadOnlyList<int> AllowedBy, IReadOnlyList<int> DeniedBy)
{
    public bool Allowed => Effect == Effect.Allow;
}

/// <summary>What an operation needs: one action on every one of the resources.</summary>
public sealed record Permission(string Action, params IReadOnlyList<string> Resources)
{
    /// <summary>For operations that every authenticated caller may call, such as <c>sts:GetCallerIdentity</c>.</summary>
    public static Permission None { get; } = new("");

    /// <summary>More permissions that are needed besides.</summary>
    public Permission? And { get; init; }
}

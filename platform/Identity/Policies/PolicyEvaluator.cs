namespace Althing.Identity;

/// <summary>The one evaluator of policies: IAM-style identity policies of API callers and IoT policies of devices.</summary>
/// <remarks>"Policy evaluation logic" (IAM User Guide): an explicit Deny wins, else an Allow, else denied.</remarks>
public static class PolicyEvaluator
{
    /// <summary>Judges one request against policies.</summary>
    public static Judgement Evaluate(IReadOnlyList<PolicyDocument> policies, in AccessRequest request)
    {
        List<int>? allowedBy = null, deniedBy = null;
        for (var i = 0; i < policies.Count; i++)
        {
            var statements = policies[i].Statements;
            for (var s = 0; s < statements.Count; s++)
            {
                var decided = statements[s].Allows ? allowedBy : deniedBy;
                if ((decided is null || decided[^1] != i) && Applies(statements[s], request))
                    (statements[s].Allows ? allowedBy ??= [] : deniedBy ??= []).Add(i);
            }
        }
        var effect = deniedBy is not null ? Effect.ExplicitDeny : allowedBy is not null ? Effect.Allow : Effect.ImplicitDeny;
        return new(effect, allowedBy ?? [], deniedBy ?? []);
    }

    static bool Applies(PolicyStatement statement, in AccessRequest request)
    {
        if (MatchesAction(statement, request.Action) == statement.ActionsExcluded)
            return false;
        return MatchesResource(statement, request) != statement.ResourcesExcluded && Conditions.Hold(statement.Conditions, request.Context);
    }

    internal static bool MatchesAction(PolicyStatement statement, string action)
    {
        for (var i = 0; i < statement.Actions.Count; i++)
        {
            if (Wildcard.Matches(statement.Actions[i], default, action, ignoreCase: true))
                return true;
        }
        return false;
    }

    static bool MatchesResource(PolicyStatement statement, in AccessRequest request)
    {
        for (var i = 0; i < statement.Resources.Count; i++)
        {
            if (PolicyText.Matches(statement.Resources[i], request.Context, request.Resource))
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

    /// <summary>Values for conditions that come from the request itself.</summary>
    public IReadOnlyDictionary<string, string> Context { get; init; } = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty;
}

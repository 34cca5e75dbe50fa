namespace Althing.Identity;

/// <summary>How a role's trust policy stands to somebody who wants to assume it.</summary>
public enum Trust
{
    /// <summary>It does not speak of the caller.</summary>
    None,

    /// <summary>It trusts the caller's account: a policy of the caller must allow as well.</summary>
    Account,

    /// <summary>It trusts the caller by name, or everybody: enough within one account.</summary>
    Caller,

    /// <summary>It denies the caller.</summary>
    Denied,
}

/// <summary>Judges trust policies of roles.</summary>
/// <remarks>"How to specify a principal" (IAM User Guide).</remarks>
public static class TrustPolicy
{
    /// <param name="action">Such as <c>sts:AssumeRole</c>.</param>
    /// <param name="context">Values for the conditions, such as <c>sts:ExternalId</c>.</param>
    public static Trust Judge(PolicyDocument trust, Caller caller, string action, IReadOnlyDictionary<string, string> context) =>
        Judge(trust, action, context, principal => Of(principal, caller));

    /// <summary>Whether a service of the platform, such as <c>iot.amazonaws.com</c>, may assume the role.</summary>
    public static bool TrustsService(PolicyDocument trust, string service, IReadOnlyDictionary<string, string> context) =>
        Judge(trust, "sts:AssumeRole", context, principal => principal == "*" || principal == $"Service:{service}" ? Trust.Caller : Trust.None) == Trust.Caller;

    static Trust Judge(PolicyDocument trust, string action, IReadOnlyDictionary<string, string> context, Func<string, Trust> match)
    {
        var best = Trust.None;
        foreach (var statement in trust.Statements)
        {
            var named = statement.Principals.Max(match);
            if (named == Trust.None
                || PolicyEvaluator.MatchesAction(statement, action) == statement.ActionsExcluded
                || !Conditions.Hold(statement.Conditions, context))
                continue;
            if (!statement.Allows)
                return Trust.Denied;
            best = named > best ? named : best;
        }
        return best;
    }

    static Trust Of(string principal, Caller caller)
    {
        if (principal is "*" or "AWS:*")
            return Trust.Caller;
        if (!principal.StartsWith("AWS:", StringComparison.Ordinal))
            return Trust.None;
        var name = principal["AWS:".Length..];
        if (name == caller.Account.Value || name == $"arn:aws:iam::{caller.Account}:root")
            return Trust.Account;
        // A role's ARN stands for all its sessions; an id for the user or role that has it, whatever its name.
        return name == caller.Arn || name == caller.Context.GetValueOrDefault("aws:PrincipalArn") || name == caller.UserId.Split(':')[0] ? Trust.Caller : Trust.None;
    }
}

using Althing.Identity;

namespace Althing.Api;

/// <summary>Holds what a call needs against the policies of its caller.</summary>
public static class Authorization
{
    /// <exception cref="ServiceException">AccessDeniedException: a policy denies it, or none allows it.</exception>
    internal static void Require(Permission? permission, Caller caller)
    {
        if (caller.Kind == CallerKind.Root)
            return;
        for (var needed = permission; needed is not null; needed = needed.And)
        {
            if (needed.Action.Length == 0)
                continue;
            foreach (var resource in needed.Resources.Count > 0 ? needed.Resources : ["*"])
                Require(caller, new(needed.Action, resource, ContextOf(needed, caller)));
        }
    }

    /// <summary>Whether the caller may do this: for operations that go over several resources and answer for each.</summary>
    public static bool Allows(Permission permission, Caller caller)
    {
        try
        {
            Require(permission, caller);
            return true;
        }
        catch (ServiceException)
        {
            return false;
        }
    }

    static IReadOnlyDictionary<string, string> ContextOf(Permission needed, Caller caller)
    {
        if (needed.Context.Count == 0)
            return caller.Context;
        var context = new Dictionary<string, string>(caller.Context, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in needed.Context)
            context[name] = value;
        return context;
    }

    static void Require(Caller caller, in AccessRequest asked)
    {
        var judgement = PolicyEvaluator.Evaluate(caller.Policies, asked);
        var bounded = caller.Boundary is { } boundary ? PolicyEvaluator.Evaluate([boundary], asked) : judgement;
        if (judgement.Allowed && bounded.Allowed)
            return;
        var why = judgement.Effect == Effect.ExplicitDeny || bounded.Effect == Effect.ExplicitDeny
            ? "with an explicit deny in a policy"
            : $"because no identity-based policy allows the {asked.Action} action";
        throw Refuse.AccessDenied($"User: {caller.Arn} is not authorized to perform: {asked.Action} on resource: {asked.Resource} {why}");
    }
}

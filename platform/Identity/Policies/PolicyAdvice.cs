using System.Text.Json;

namespace Althing.Identity;

/// <summary>What can be said of a policy that is one: it is too long, or hardly what its author means.</summary>
static class PolicyAdvice
{
    /// <remarks>"AWS IoT Core quotas", and "IAM and AWS STS quotas": a role's inline policies and its trust policy.</remarks>
    public static int CharactersMax(PolicyKind kind) => kind == PolicyKind.Identity ? 10_240 : 2048;

    public static IEnumerable<PolicyFault> Of(string json, PolicyKind kind, LocatedJson root, IReadOnlyList<PolicyStatement> statements, int charactersMax)
    {
        var characters = json.Count(c => !char.IsWhiteSpace(c));
        if (characters > charactersMax)
            yield return new(0, PolicySeverity.Error, $"The policy has {characters} characters besides white space; {charactersMax} are allowed.", null);
        if (root.Kind != JsonValueKind.Object)
            yield break;
        if (root.Members.All(m => m.Name != "Version"))
            yield return new(root.At, PolicySeverity.Warning, "Version is missing: write \"Version\": \"2012-10-17\", the version that knows variables.", null);
        var elements = root.Members.FirstOrDefault(m => m.Name == "Statement").Value is { } value ? value.Kind == JsonValueKind.Array ? value.Items : [value] : [];
        HashSet<string> sids = [];
        foreach (var (element, statement) in elements.Zip(statements))
        {
            if (statement.Sid is { Length: > 0 } sid && !sids.Add(sid))
                yield return Warning(element, "Sid", statement, $"Sid '{sid}' is there twice: give every statement its own.");
            foreach (var fault in OfStatement(element, statement, kind))
                yield return fault;
        }
    }

    static IEnumerable<PolicyFault> OfStatement(LocatedJson element, PolicyStatement statement, PolicyKind kind)
    {
        var everyAction = statement is { Allows: true, ActionsExcluded: false } && statement.Actions.Contains("*");
        if (everyAction && kind != PolicyKind.Trust)
            yield return Warning(element, "Action", statement, "Action \"*\" allows everything that there is and will be: name the actions that are needed.");
        if (statement is { Allows: true, ResourcesExcluded: false } && kind != PolicyKind.Trust && statement.Resources.Contains("*") && !OnlyWithoutResource(statement))
            yield return Warning(element, "Resource", statement, "Resource \"*\" is every resource of the account: name those that are needed.");
        if (statement is { Allows: true, ActionsExcluded: true } or { Allows: true, ResourcesExcluded: true })
            yield return Warning(element, statement.ActionsExcluded ? "NotAction" : "NotResource", statement, "Allow with Not… allows all that is not named, now and in future: name what is needed instead.");
        if (kind == PolicyKind.Trust && statement.Allows && statement.Conditions.Count == 0 && statement.Principals.Any(p => p is "*" or "AWS:*"))
            yield return Warning(element, "Principal", statement, "Everybody, of every account, may assume the role: name accounts, users or roles.");
        if (kind != PolicyKind.Iot)
            yield break;
        foreach (var fault in UnknownVariables(element, statement).Concat(OfTopics(element, statement)).Concat(Misfits(element, statement)))
            yield return fault;
    }

    /// <summary>Whether all actions are ones that AWS judges on <c>*</c> alone.</summary>
    static bool OnlyWithoutResource(PolicyStatement statement) =>
        statement is { ActionsExcluded: false, Actions.Count: > 0 } && statement.Actions.All(a => IotActions.ResourceTypes.GetValueOrDefault(a) == "*");

    static IEnumerable<PolicyFault> UnknownVariables(LocatedJson element, PolicyStatement statement) =>
        from text in Values(element, "Resource", "NotResource")
        from name in PolicyText.Variables(text.Text)
        where !IotActions.IsVariable(name)
        select new PolicyFault(text.At, PolicySeverity.Warning,
            $"${{{name}}} is no variable of device connections and never has a value; ${{iot:ClientId}} and ${{iot:Connection.Thing.ThingName}} are among those that do.", statement.Index);

    static IEnumerable<PolicyFault> OfTopics(LocatedJson element, PolicyStatement statement) =>
        from text in Values(element, "Resource", "NotResource")
        where TypeOf(text.Text) == "topic" && text.Text.AsSpan().ContainsAny('+', '#')
        select new PolicyFault(text.At, PolicySeverity.Warning, "+ and # are ordinary characters here, and no message has them in its topic: write * instead.", statement.Index);

    /// <summary>Resources that none of the actions is judged on, and actions that no resource is for.</summary>
    static IEnumerable<PolicyFault> Misfits(LocatedJson element, PolicyStatement statement)
    {
        if (statement.ActionsExcluded || statement.ResourcesExcluded || statement.Actions.Any(a => !a.StartsWith("iot:", StringComparison.OrdinalIgnoreCase)))
            yield break;
        var types = statement.Actions.Select(TypesOf).ToList();
        var resources = Values(element, "Resource").Select(r => (At: r, Type: TypeOf(r.Text))).ToList();
        foreach (var (resource, type) in resources.Where(r => r.Type is not null && !types.Any(t => t.Contains(r.Type))))
        {
            yield return new(resource.At, PolicySeverity.Warning,
                $"'{type}/…' fits none of the statement's actions: {string.Join(", ", statement.Actions.Zip(types).Select(a => $"{a.First} is judged on {string.Join(" and ", a.Second.Select(Shown))}"))}.", statement.Index);
        }
        foreach (var (action, wanted) in Values(element, "Action").Zip(types))
        {
            if (resources.Count > 0 && resources.All(r => r.Type is { } type && !wanted.Contains(type)))
                yield return new(action.At, PolicySeverity.Warning, $"{action.Text} has no effect: it is judged on {string.Join(" and ", wanted.Select(Shown))}, and no resource of the statement is one.", statement.Index);
        }
    }

    static string Shown(string type) => type == "*" ? "\"*\"" : type + "/…";

    static List<string> TypesOf(string action)
    {
        var pattern = new Wildcard(action, ignoreCase: true);
        return [.. IotActions.ResourceTypes.Where(a => pattern.Matches(a.Key)).Select(a => a.Value).Distinct()];
    }

    /// <summary>What stands before the first slash of an ARN's resource; null when that is a pattern or no ARN.</summary>
    static string? TypeOf(string resource)
    {
        if (!resource.StartsWith("arn:", StringComparison.Ordinal) || resource.Split(':', 6) is not { Length: 6 } parts)
            return null;
        var type = parts[5].Split('/')[0];
        return parts[5].Contains('/', StringComparison.Ordinal) && !type.AsSpan().ContainsAny("*?$") ? type : null;
    }

    static IEnumerable<LocatedJson> Values(LocatedJson element, params ReadOnlySpan<string> names)
    {
        List<LocatedJson> values = [];
        foreach (var member in element.Members)
        {
            if (names.Contains(member.Name))
                values.AddRange(member.Value.Kind == JsonValueKind.Array ? member.Value.Items : [member.Value]);
        }
        return values.Where(v => v.Kind == JsonValueKind.String);
    }

    static PolicyFault Warning(LocatedJson element, string member, PolicyStatement statement, string message)
    {
        var place = element.Members.FirstOrDefault(m => m.Name == member);
        return new(place.Value?.At ?? element.At, PolicySeverity.Warning, message, statement.Index);
    }
}

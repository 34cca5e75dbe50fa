using System.Text.Json;

namespace Althing.Identity;

/// <summary>Reads the grammar of policies and refuses what is not in it.</summary>
sealed class PolicyReader(PolicyKind kind)
{
    const int StatementsMax = 200;
    int? statement;

    public IReadOnlyList<PolicyStatement> Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Bad("The policy must be a JSON object with Version and Statement.");
        JsonElement? statements = null;
        foreach (var member in root.EnumerateObject())
        {
            switch (member.Name)
            {
                case "Version":
                    if (member.Value.ValueKind != JsonValueKind.String || member.Value.GetString() is not ("2012-10-17" or "2008-10-17"))
                        throw Bad("Version must be \"2012-10-17\".");
                    break;
                case "Id":
                    Text(member.Value, "Id");
                    break;
                case "Statement":
                    statements = member.Value;
                    break;
                default:
                    throw Bad($"'{member.Name}' is not a member of a policy: Version, Id and Statement are.");
            }
        }
        return statements switch
        {
            { ValueKind: JsonValueKind.Object } one => [ReadStatement(one, 0)],
            { ValueKind: JsonValueKind.Array } many when many.GetArrayLength() is > 0 and <= StatementsMax =>
                [.. many.EnumerateArray().Select(ReadStatement)],
            null => throw Bad("Statement is missing: give at least one statement."),
            _ => throw Bad($"Statement must be an object or an array of 1 to {StatementsMax} objects."),
        };
    }

    PolicyStatement ReadStatement(JsonElement element, int index)
    {
        statement = index;
        if (element.ValueKind != JsonValueKind.Object)
            throw Bad("it must be a JSON object.");
        string? sid = null;
        bool? allows = null;
        IReadOnlyList<string>? actions = null, resources = null, principals = null;
        bool actionsExcluded = false, resourcesExcluded = false;
        IReadOnlyList<PolicyCondition> conditions = [];
        foreach (var member in element.EnumerateObject())
        {
            switch (member.Name)
            {
                case "Sid":
                    sid = Text(member.Value, "Sid");
                    break;
                case "Effect":
                    allows = Text(member.Value, "Effect") switch
                    {
                        "Allow" => true,
                        "Deny" => false,
                        var other => throw Bad($"Effect is '{other}': write \"Allow\" or \"Deny\"."),
                    };
                    break;
                case "Action" or "NotAction" when actions is not null:
                    throw Bad("it has both Action and NotAction: keep one.");
                case "Action" or "NotAction":
                    (actions, actionsExcluded) = (Actions(member), member.Name == "NotAction");
                    break;
                case "Resource" or "NotResource" when kind != PolicyKind.Trust:
                    if (resources is not null)
                        throw Bad("it has both Resource and NotResource: keep one.");
                    (resources, resourcesExcluded) = (Resources(member), member.Name == "NotResource");
                    break;
                case "Principal" when kind == PolicyKind.Trust:
                    principals = Principals(member.Value);
                    break;
                case "Condition":
                    conditions = Conditions(member.Value);
                    break;
                default:
                    throw Bad($"'{member.Name}' is not allowed in a statement of this kind of policy.");
            }
        }
        if (kind == PolicyKind.Trust && principals is null)
            throw Bad("Principal is missing: say who may assume the role.");
        return new()
        {
            Index = index,
            Sid = sid,
            Allows = allows ?? throw Bad("Effect is missing: write \"Allow\" or \"Deny\"."),
            Actions = actions ?? throw Bad("Action is missing."),
            ActionsExcluded = actionsExcluded,
            Resources = resources ?? (kind == PolicyKind.Trust ? ["*"] : throw Bad("Resource is missing: give an ARN, a pattern of ARNs, or \"*\".")),
            ResourcesExcluded = resourcesExcluded,
            Principals = principals ?? [],
            Conditions = conditions,
        };
    }

    IReadOnlyList<string> Actions(JsonProperty member)
    {
        var actions = Texts(member.Value, member.Name);
        foreach (var action in actions)
        {
            if (action != "*" && !(action.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon && colon < action.Length - 1))
                throw Bad($"{member.Name} '{action}' is not an action: write service:Action, for example iot:Publish.");
            if (kind == PolicyKind.Iot && IotActions.Problem(action) is { } problem)
                throw Bad(problem);
        }
        return actions;
    }

    IReadOnlyList<string> Resources(JsonProperty member)
    {
        var resources = Texts(member.Value, member.Name);
        foreach (var resource in resources)
        {
            if (resource != "*" && !resource.StartsWith("arn:", StringComparison.Ordinal) && !resource.StartsWith('*'))
                throw Bad($"{member.Name} '{resource}' is not an ARN: write for example arn:aws:iot:us-east-1:000000000000:topic/a, or \"*\".");
            if (resource.StartsWith("arn:", StringComparison.Ordinal) && !resource.Contains('*', StringComparison.Ordinal) && resource.Count(c => c == ':') < 5)
                throw Bad($"{member.Name} '{resource}' is not a whole ARN: arn:partition:service:region:account:resource.");
            if (PolicyText.Problem(resource) is { } problem)
                throw Bad($"{member.Name} '{resource}': {problem}");
        }
        return resources;
    }

    IReadOnlyList<string> Principals(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when value.GetString() == "*" => ["*"],
        JsonValueKind.Object when value.GetPropertyCount() > 0 => [.. value.EnumerateObject().SelectMany(p => Texts(p.Value, "Principal").Select(v => Principal(p.Name, v)))],
        _ => throw Bad("Principal must be \"*\" or an object such as { \"AWS\": \"arn:aws:iam::000000000000:root\" }."),
    };

    string Principal(string type, string value)
    {
        if (type is not ("AWS" or "Service" or "Federated" or "CanonicalUser"))
            throw Bad($"Principal has a member '{type}': AWS, Service and Federated are allowed.");
        // Only whole names: with a wildcard, whoever may make a user could choose one that is trusted.
        if (type == "AWS" && value != "*" && (value.Contains('*', StringComparison.Ordinal)
            || !(value.StartsWith("arn:aws:iam::", StringComparison.Ordinal) || value.StartsWith("arn:aws:sts::", StringComparison.Ordinal) || value.All(char.IsAsciiLetterOrDigit))))
            throw Bad($"Principal '{value}' is neither an account id nor the ARN of a user, role or account, for example arn:aws:iam::000000000000:root.");
        return $"{type}:{value}";
    }

    IReadOnlyList<PolicyCondition> Conditions(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Bad("Condition must be an object of operators.");
        List<PolicyCondition> conditions = [];
        foreach (var block in value.EnumerateObject())
        {
            if (!ConditionOperators.Exists(block.Name))
                throw Bad($"'{block.Name}' is not a condition operator; StringEquals, StringLike, IpAddress, Bool and others are.");
            if (block.Value.ValueKind != JsonValueKind.Object)
                throw Bad($"{block.Name} must be an object of condition keys and values.");
            foreach (var line in block.Value.EnumerateObject())
                conditions.Add(new(block.Name, line.Name, Texts(line.Value, line.Name, scalars: true)));
        }
        return conditions;
    }

    string Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad($"{name} must be a string.");

    IReadOnlyList<string> Texts(JsonElement value, string name, bool scalars = false)
    {
        string One(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.String => element.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False when scalars => element.GetRawText(),
            _ => throw Bad($"{name} must be a string or an array of strings."),
        };
        if (value.ValueKind != JsonValueKind.Array)
            return [One(value)];
        return value.GetArrayLength() > 0 ? [.. value.EnumerateArray().Select(One)] : throw Bad($"{name} is an empty array: give at least one value.");
    }

    PolicyFormatException Bad(string message) => statement is { } index
        ? new($"Statement {index + 1}: {char.ToUpperInvariant(message[0])}{message[1..]}", index)
        : new(message);
}

using System.Text.Json;

namespace Althing.Identity;

/// <summary>A problem by its place in bytes.</summary>
readonly record struct PolicyFault(int At, PolicySeverity Severity, string Message, int? Statement);

/// <summary>Reads the grammar of policies and notes what is not in it. One reader reads one document.</summary>
sealed class PolicyReader(PolicyKind kind)
{
    const int StatementsMax = 200;

    readonly List<PolicyFault> faults = [];
    int? statement;

    /// <summary>Identity policies of the older version, which is also that of those that name none, know no variables.</summary>
    bool variables = true;

    /// <summary>What is wrong, in the order it was met. What was read counts only when nothing is.</summary>
    public IReadOnlyList<PolicyFault> Faults => faults;

    public IReadOnlyList<PolicyStatement> Read(LocatedJson root)
    {
        if (root.Kind != JsonValueKind.Object)
        {
            Note(root.At, "The policy must be a JSON object with Version and Statement.");
            return [];
        }
        variables = kind == PolicyKind.Iot || root.Members.Any(m => m is { Name: "Version", Value.Text: "2012-10-17" });
        LocatedJson? statements = null;
        foreach (var (name, at, value) in root.Members)
        {
            if (name == "Statement")
                statements = value;
            else if (name == "Version" && (value.Kind != JsonValueKind.String || value.Text is not ("2012-10-17" or "2008-10-17")))
                Note(value.At, "Version must be \"2012-10-17\".");
            else if (name == "Id")
                Text(value, "Id");
            else if (name is not "Version")
                Note(at, $"'{name}' is not a member of a policy: Version, Id and Statement are.");
        }
        switch (statements)
        {
            case { Kind: JsonValueKind.Object }:
                return [ReadStatement(statements, 0)];
            case { Kind: JsonValueKind.Array, Items.Count: > 0 and <= StatementsMax }:
                return [.. statements.Items.Select(ReadStatement)];
            case null:
                Note(root.At, "Statement is missing: give at least one statement.");
                return [];
            default:
                Note(statements.At, $"Statement must be an object or an array of 1 to {StatementsMax} objects.");
                return [];
        }
    }

    /// <summary>What has been read of a statement so far.</summary>
    sealed class Draft
    {
        public string? Sid;
        public bool? Allows;
        public IReadOnlyList<string>? Actions, Resources, Principals;
        public bool ActionsExcluded, ResourcesExcluded;
        public IReadOnlyList<PolicyCondition> Conditions = [];
    }

    PolicyStatement ReadStatement(LocatedJson element, int index)
    {
        statement = index;
        var draft = new Draft();
        if (element.Kind != JsonValueKind.Object)
            Note(element.At, "A statement must be a JSON object.");
        foreach (var member in element.Members)
            ReadMember(member, draft);
        if (element.Kind == JsonValueKind.Object)
        {
            if (kind == PolicyKind.Trust && draft.Principals is null)
                Note(element.At, "Principal is missing: say who may assume the role.");
            if (draft.Allows is null && !element.Members.Any(m => m.Name == "Effect"))
                Note(element.At, "Effect is missing: write \"Allow\" or \"Deny\".");
            if (draft.Actions is null)
                Note(element.At, "Action is missing.");
            if (draft.Resources is null && kind != PolicyKind.Trust)
                Note(element.At, "Resource is missing: give an ARN, a pattern of ARNs, or \"*\".");
        }
        statement = null;
        return new()
        {
            Index = index,
            Sid = draft.Sid,
            Allows = draft.Allows ?? false,
            Actions = draft.Actions ?? [],
            ActionsExcluded = draft.ActionsExcluded,
            Resources = draft.Resources ?? ["*"],
            ResourcesExcluded = draft.ResourcesExcluded,
            Principals = draft.Principals ?? [],
            Conditions = draft.Conditions,
        };
    }

    void ReadMember(LocatedMember member, Draft draft)
    {
        var (name, at, value) = member;
        switch (name)
        {
            case "Sid":
                draft.Sid = Text(value, "Sid");
                break;
            case "Effect":
                draft.Allows = Effect(value);
                break;
            case "Action" or "NotAction":
                if (draft.Actions is not null)
                    Note(at, "It has both Action and NotAction: keep one.");
                (draft.Actions, draft.ActionsExcluded) = (Actions(member), name == "NotAction");
                break;
            case "Resource" or "NotResource" when kind != PolicyKind.Trust:
                if (draft.Resources is not null)
                    Note(at, "It has both Resource and NotResource: keep one.");
                (draft.Resources, draft.ResourcesExcluded) = (Resources(member), name == "NotResource");
                break;
            case "Principal" when kind == PolicyKind.Trust:
                draft.Principals = Principals(value);
                break;
            case "Condition":
                draft.Conditions = Conditions(value);
                break;
            default:
                Note(at, $"'{name}' is not allowed in a statement of this kind of policy.");
                break;
        }
    }

    bool? Effect(LocatedJson value)
    {
        var text = Text(value, "Effect");
        if (text is not ("Allow" or "Deny") && value.Kind == JsonValueKind.String)
            Note(value.At, $"Effect is '{text}': write \"Allow\" or \"Deny\".");
        return text switch { "Allow" => true, "Deny" => false, _ => null };
    }

    IReadOnlyList<string> Actions(LocatedMember member) => Texts(member.Value, member.Name, action =>
    {
        if (action != "*" && !(action.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon && colon < action.Length - 1))
            return $"{member.Name} '{action}' is not an action: write service:Action, for example iot:Publish.";
        return kind == PolicyKind.Iot ? IotActions.Problem(action) : null;
    });

    IReadOnlyList<string> Resources(LocatedMember member) => Texts(member.Value, member.Name, resource =>
    {
        var isArn = resource.StartsWith("arn:", StringComparison.Ordinal);
        if (resource != "*" && !isArn && !resource.StartsWith('*'))
            return $"{member.Name} '{resource}' is not an ARN: write for example arn:aws:iot:us-east-1:000000000000:topic/a, or \"*\".";
        if (isArn && !resource.Contains('*', StringComparison.Ordinal) && resource.Count(c => c == ':') < 5)
            return $"{member.Name} '{resource}' is not a whole ARN: arn:partition:service:region:account:resource.";
        return VariableProblem(resource) is { } problem ? $"{member.Name} '{resource}': {problem}" : null;
    }, variable: true);

    IReadOnlyList<string> Principals(LocatedJson value)
    {
        if (value is { Kind: JsonValueKind.String, Text: "*" })
            return ["*"];
        if (value.Kind == JsonValueKind.Object && value.Members.Count > 0)
            return [.. value.Members.SelectMany(p => Texts(p.Value, "Principal", v => PrincipalProblem(p.Name, v)).Select(v => $"{p.Name}:{v}"))];
        Note(value.At, "Principal must be \"*\" or an object such as { \"AWS\": \"arn:aws:iam::000000000000:root\" }.");
        return ["*"];
    }

    static string? PrincipalProblem(string type, string value)
    {
        if (type is not ("AWS" or "Service" or "Federated" or "CanonicalUser"))
            return $"Principal has a member '{type}': AWS, Service and Federated are allowed.";
        if (type != "AWS" || value == "*")
            return null;
        // Only whole names: with a wildcard, whoever may make a user could choose one that is trusted.
        var isArn = value.StartsWith("arn:aws:iam::", StringComparison.Ordinal) || value.StartsWith("arn:aws:sts::", StringComparison.Ordinal);
        return !value.Contains('*', StringComparison.Ordinal) && value.Length > 0 && (isArn || value.All(char.IsAsciiLetterOrDigit)) ? null
            : $"Principal '{value}' is neither an account id nor the ARN of a user, role or account, for example arn:aws:iam::000000000000:root.";
    }

    IReadOnlyList<PolicyCondition> Conditions(LocatedJson value)
    {
        if (value.Kind != JsonValueKind.Object)
            Note(value.At, "Condition must be an object of operators.");
        List<PolicyCondition> conditions = [];
        foreach (var block in value.Members)
        {
            if (ConditionOperator.Parse(block.Name) is null)
                Note(block.At, $"'{block.Name}' is not a condition operator; StringEquals, StringLike, IpAddress, Bool and others are.");
            else if (block.Value.Kind != JsonValueKind.Object)
                Note(block.Value.At, $"{block.Name} must be an object of condition keys and values.");
            else
                conditions.AddRange(block.Value.Members.Select(line => new PolicyCondition(block.Name, line.Name, Texts(line.Value, line.Name, VariableProblem, scalars: true, variable: true))));
        }
        return conditions;
    }

    string? Text(LocatedJson value, string name)
    {
        if (value.Kind == JsonValueKind.String)
            return value.Text;
        Note(value.At, $"{name} must be a string.");
        return null;
    }

    string? VariableProblem(string text) => variables ? PolicyText.Problem(text) : null;

    /// <summary>One string or an array of them, each checked.</summary>
    /// <param name="scalars">Whether numbers and truth values are good too.</param>
    /// <param name="variable">Whether variables may stand in the texts.</param>
    IReadOnlyList<string> Texts(LocatedJson value, string name, Func<string, string?> problemOf, bool scalars = false, bool variable = false)
    {
        List<string> texts = [];
        foreach (var item in value.Kind == JsonValueKind.Array ? value.Items : [value])
        {
            if (item.Kind != JsonValueKind.String && !(scalars && item.Kind is JsonValueKind.Number or JsonValueKind.True))
                Note(item.At, $"{name} must be a string or an array of strings.");
            else if (problemOf(item.Text) is { } problem)
                Note(item.At, problem);
            else
                texts.Add(variable && !variables ? PolicyText.Escape(item.Text) : item.Text);
        }
        if (value is { Kind: JsonValueKind.Array, Items.Count: 0 })
            Note(value.At, $"{name} is an empty array: give at least one value.");
        return texts;
    }

    void Note(int at, string message) => faults.Add(new(at, PolicySeverity.Error, message, statement));
}

namespace Althing.Identity;

/// <summary>The actions that IoT policies may name ("AWS IoT Core policy actions").</summary>
public static class IotActions
{
    /// <summary>Action names with the resource types that they are judged on.</summary>
    public static IReadOnlyDictionary<string, string> ResourceTypes { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["iot:Connect"] = "client",
        ["iot:DeleteConnection"] = "client",
        ["iot:DeleteThingShadow"] = "thing",
        ["iot:GetConnection"] = "client",
        ["iot:DescribeJobExecution"] = "thing",
        ["iot:GetPendingJobExecutions"] = "thing",
        ["iot:GetRetainedMessage"] = "topic",
        ["iot:GetThingShadow"] = "thing",
        ["iot:ListNamedShadowsForThing"] = "thing",
        ["iot:ListRetainedMessages"] = "*",
        ["iot:ListSubscriptions"] = "client",
        ["iot:Publish"] = "topic",
        ["iot:Receive"] = "topic",
        ["iot:RetainPublish"] = "topic",
        ["iot:SendDirectMessage"] = "client",
        ["iot:StartNextPendingJobExecution"] = "thing",
        ["iot:StartCommandExecution"] = "thing",
        ["iot:Subscribe"] = "topicfilter",
        ["iot:UpdateJobExecution"] = "thing",
        ["iot:UpdateThingShadow"] = "thing",
        ["iot:AssumeRoleWithCertificate"] = "rolealias",
    };

    static readonly string[] Variables =
    [
        "iot:ClientId", "iot:Topic", "iot:DomainName", "iot:CertificateId", "aws:SourceIp", "iot:Connection.Thing.ThingName", "iot:Connection.Thing.ThingTypeName",
        "iot:Connection.Thing.IsAttached",
    ];

    /// <summary>Whether a connection may have a value for this policy variable. Names ignore case.</summary>
    public static bool IsVariable(string name) => Variables.Contains(name, StringComparer.OrdinalIgnoreCase)
        || (name.StartsWith("iot:Connection.Thing.Attributes[", StringComparison.OrdinalIgnoreCase) && name.EndsWith(']'))
        || name.StartsWith("iot:Certificate.", StringComparison.OrdinalIgnoreCase);

    /// <summary>What is wrong with an action pattern in an IoT policy, or null.</summary>
    public static string? Problem(string action)
    {
        if (action.StartsWith("greengrass:", StringComparison.OrdinalIgnoreCase) || action.StartsWith("iotjobsdata:", StringComparison.OrdinalIgnoreCase) || action == "*")
            return null;
        if (!action.StartsWith("iot:", StringComparison.OrdinalIgnoreCase))
            return $"Action '{action}' does not belong in an IoT policy: actions of iot: and greengrass: do.";
        var matcher = new Wildcard(action, ignoreCase: true);
        return ResourceTypes.Keys.Any(matcher.Matches)
            ? null
            : $"Action '{action}' names no action of devices; iot:Connect, iot:Publish, iot:Subscribe and iot:Receive are among them.";
    }
}

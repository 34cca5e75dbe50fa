using Althing.Design;
using Althing.Identity;

namespace Althing.Core.Console;

/// <summary>What the policy editor says of a text as one types.</summary>
static class PolicyEditing
{
    public static IReadOnlyList<CodeProblem> Check(string json) =>
        [.. PolicyDocument.Validate(json, PolicyKind.Iot).Select(p => new CodeProblem(p.Line, p.Column, p.Message, p.Severity == PolicySeverity.Error))];

    /// <summary>A beginning that most fleets can use: each device speaks for itself alone.</summary>
    public static string Template(string region, string account) => $$"""
        {
          "Version": "2012-10-17",
          "Statement": [
            {
              "Effect": "Allow",
              "Action": "iot:Connect",
              "Resource": "arn:aws:iot:{{region}}:{{account}}:client/${iot:Connection.Thing.ThingName}"
            },
            {
              "Effect": "Allow",
              "Action": ["iot:Publish", "iot:Receive"],
              "Resource": "arn:aws:iot:{{region}}:{{account}}:topic/devices/${iot:Connection.Thing.ThingName}/*"
            },
            {
              "Effect": "Allow",
              "Action": "iot:Subscribe",
              "Resource": "arn:aws:iot:{{region}}:{{account}}:topicfilter/devices/${iot:Connection.Thing.ThingName}/*"
            }
          ]
        }
        """;
}

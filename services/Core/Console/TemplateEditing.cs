using System.Text;
using System.Text.Json;
using Althing.Core.Provisioning.Templates;
using Althing.Design;

namespace Althing.Core.Console;

/// <summary>What the editor of provisioning templates says of a text as one types, and what to begin with.</summary>
static class TemplateEditing
{
    public static IReadOnlyList<CodeProblem> Check(string text, TemplateUse use)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
        }
        catch (JsonException bad)
        {
            return [new((int)(bad.LineNumber ?? 0) + 1, (int)(bad.BytePositionInLine ?? 0) + 1, "This is not JSON.")];
        }
        try
        {
            ProvisioningText.Read(text, use);
            return [];
        }
        catch (TemplateFault fault)
        {
            var (line, column) = Place(text, fault.Message);
            return [new(line, column, fault.Message)];
        }
    }

    /// <summary>Where in the text the place stands that a fault names: the last of its members that can be found. 0 when it names none.</summary>
    static (int Line, int Column) Place(string text, string message)
    {
        if (!message.StartsWith("At ", StringComparison.Ordinal) || message.IndexOf(": ", StringComparison.Ordinal) is not (> 3 and var colon))
            return (0, 0);
        var (wanted, bytes) = (message[3..colon], Encoding.UTF8.GetBytes(text));
        var reader = new Utf8JsonReader(bytes);
        Stack<string> path = new();
        var (best, at, pending) = (0, -1L, "");
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    pending = reader.GetString()!;
                    var here = string.Join('.', path.Reverse().Where(p => p.Length > 0).Append(pending));
                    if (here.Length > best && (wanted == here || wanted.StartsWith(here + ".", StringComparison.Ordinal) || wanted.StartsWith(here + "[", StringComparison.Ordinal)))
                        (best, at) = (here.Length, reader.TokenStartIndex);
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    path.Push(pending);
                    pending = "";
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    path.Pop();
                    break;
            }
        }
        if (at < 0)
            return (0, 0);
        var before = Encoding.UTF8.GetString(bytes, 0, (int)at);
        return (before.Count(c => c == '\n') + 1, before.Length - before.LastIndexOf('\n'));
    }

    public static string Sample(TemplateUse use, string region, string account) => use switch
    {
        TemplateUse.Fleet => Claim(region, account),
        TemplateUse.JustInTime => FirstConnection(region, account),
        _ => File,
    };

    /// <summary>A device brings its serial number, and gets a thing, a certificate and rights of its own.</summary>
    static string Claim(string region, string account) => $$"""
        {
          "Parameters": {
            "SerialNumber": { "Type": "String" }
          },
          "Resources": {
            "thing": {
              "Type": "AWS::IoT::Thing",
              "Properties": {
                "ThingName": { "Fn::Sub": "device-${SerialNumber}" },
                "AttributePayload": { "serial": { "Ref": "SerialNumber" } }
              }
            },
            "certificate": {
              "Type": "AWS::IoT::Certificate",
              "Properties": {
                "CertificateId": { "Ref": "AWS::IoT::Certificate::Id" },
                "Status": "ACTIVE"
              }
            },
            "policy": {
              "Type": "AWS::IoT::Policy",
              "Properties": {
                "PolicyDocument": {{Rights(region, account)}}
              }
            }
          },
          "DeviceConfiguration": {}
        }
        """;

    /// <summary>The values are those of the certificate's subject.</summary>
    static string FirstConnection(string region, string account) => $$"""
        {
          "Parameters": {
            "AWS::IoT::Certificate::CommonName": { "Type": "String" },
            "AWS::IoT::Certificate::Id": { "Type": "String" }
          },
          "Resources": {
            "thing": {
              "Type": "AWS::IoT::Thing",
              "Properties": {
                "ThingName": { "Ref": "AWS::IoT::Certificate::CommonName" }
              }
            },
            "certificate": {
              "Type": "AWS::IoT::Certificate",
              "Properties": {
                "CertificateId": { "Ref": "AWS::IoT::Certificate::Id" },
                "Status": "ACTIVE"
              }
            },
            "policy": {
              "Type": "AWS::IoT::Policy",
              "Properties": {
                "PolicyDocument": {{Rights(region, account)}}
              }
            }
          }
        }
        """;

    const string File = """
        {
          "Parameters": {
            "SerialNumber": { "Type": "String" },
            "Site": { "Type": "String", "Default": "unknown" }
          },
          "Resources": {
            "thing": {
              "Type": "AWS::IoT::Thing",
              "Properties": {
                "ThingName": { "Fn::Sub": "device-${SerialNumber}" },
                "AttributePayload": { "site": { "Ref": "Site" } }
              }
            }
          }
        }
        """;

    static string Rights(string region, string account) => $$"""
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
        """.Trim();

    /// <summary>What a claim certificate's policy must allow, and no more.</summary>
    public static string ClaimPolicy(string region, string account, string template) => $$"""
        {
          "Version": "2012-10-17",
          "Statement": [
            { "Effect": "Allow", "Action": "iot:Connect", "Resource": "*" },
            {
              "Effect": "Allow",
              "Action": ["iot:Publish", "iot:Receive"],
              "Resource": [
                "arn:aws:iot:{{region}}:{{account}}:topic/$aws/certificates/*",
                "arn:aws:iot:{{region}}:{{account}}:topic/$aws/provisioning-templates/{{template}}/provision/*"
              ]
            },
            {
              "Effect": "Allow",
              "Action": "iot:Subscribe",
              "Resource": [
                "arn:aws:iot:{{region}}:{{account}}:topicfilter/$aws/certificates/*",
                "arn:aws:iot:{{region}}:{{account}}:topicfilter/$aws/provisioning-templates/{{template}}/provision/*"
              ]
            }
          ]
        }
        """;

    public static TemplateUse UseOf(string type) => type == ProvisioningTemplate.JustInTime ? TemplateUse.JustInTime : TemplateUse.Fleet;

    public static string Word(string type) => type == ProvisioningTemplate.JustInTime ? "first connection (JITP)" : "claim";
}

using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Core.Provisioning.Templates;

/// <summary>Reads the Resources of a template ("Resources section").</summary>
sealed class ResourceReader(ExpressionReader expressions, TemplateUse use)
{
    static readonly string[] ThingProperties = ["ThingName", "AttributePayload", "ThingTypeName", "ThingGroups", "BillingGroup"];
    static readonly string[] CertificateProperties = ["CertificateId", "CertificatePem", "CACertificatePem", "CertificateSigningRequest", "Status"];
    static readonly string[] PolicyProperties = ["PolicyName", "PolicyDocument"];
    static readonly string[] ThingOverrides = ["AttributePayload", "ThingTypeName", "ThingGroups"];
    static readonly string[] CertificateOverrides = ["Status"];

    public ProvisioningText Read(JsonObject resources)
    {
        ThingPart? thing = null;
        CertificatePart? certificate = null;
        List<PolicyPart> policies = [];
        foreach (var (name, node) in resources)
        {
            var at = "Resources." + name;
            var resource = node as JsonObject ?? throw ExpressionReader.Wrong(at, "an object with Type and Properties stands here.");
            if (resource.FirstOrDefault(m => m.Key is not ("Type" or "Properties" or "OverrideSettings")).Key is { } unknown)
                throw ExpressionReader.Wrong($"{at}.{unknown}", "a resource has Type, Properties and OverrideSettings.");
            switch ((resource["Type"] as JsonValue)?.ToString())
            {
                case "AWS::IoT::Thing":
                    thing = thing is null ? Thing(name, resource, at) : throw ExpressionReader.Wrong(at, $"the thing is '{thing.LogicalName}' already: a template has one.");
                    break;
                case "AWS::IoT::Certificate":
                    certificate = certificate is null ? Certificate(name, resource, at)
                        : throw ExpressionReader.Wrong(at, $"the certificate is '{certificate.LogicalName}' already: a template has one.");
                    break;
                case "AWS::IoT::Policy":
                    policies.Add(Policy(name, resource, at));
                    break;
                default:
                    throw ExpressionReader.Wrong(at + ".Type", "a resource is an AWS::IoT::Thing, an AWS::IoT::Certificate or an AWS::IoT::Policy.");
            }
        }
        if (resources.Count == 0)
            throw new TemplateFault("The template has no Resources.");
        if (use != TemplateUse.Registration && certificate is null)
            throw new TemplateFault("At Resources: the template needs an AWS::IoT::Certificate, for the device's certificate.");
        return new() { Parameters = new Dictionary<string, string?>(), Mappings = [], Thing = thing, Certificate = certificate, Policies = policies };
    }

    ThingPart Thing(string name, JsonObject resource, string at)
    {
        var properties = Properties(resource, at, ThingProperties);
        var overrides = Overrides(resource, at, ThingOverrides);
        var attributes = properties["AttributePayload"] switch
        {
            null => null,
            JsonObject map => map.ToDictionary(m => m.Key, m => expressions.Read(m.Value, $"{at}.Properties.AttributePayload.{m.Key}"), StringComparer.Ordinal),
            _ => throw ExpressionReader.Wrong(at + ".Properties.AttributePayload", "an object of names and values stands here."),
        };
        if (attributes?.FirstOrDefault(a => a.Value is MapOf or ListOf).Key is { } wrong)
            throw ExpressionReader.Wrong($"{at}.Properties.AttributePayload.{wrong}", "a text stands here.");
        return new(name)
        {
            Name = Property(properties, "ThingName", at) ?? throw ExpressionReader.Wrong(at + ".Properties", "a thing needs a ThingName."),
            Attributes = attributes,
            TypeName = Property(properties, "ThingTypeName", at),
            Groups = Property(properties, "ThingGroups", at),
            BillingGroup = Property(properties, "BillingGroup", at),
            AttributesOverride = overrides.GetValueOrDefault("AttributePayload"),
            TypeOverride = NoMerge(overrides, "ThingTypeName", at),
            GroupsOverride = overrides.GetValueOrDefault("ThingGroups"),
        };
    }

    CertificatePart Certificate(string name, JsonObject resource, string at)
    {
        var properties = Properties(resource, at, CertificateProperties);
        var overrides = Overrides(resource, at, CertificateOverrides);
        string[] ways = [.. CertificateProperties.Where(p => p is "CertificateId" or "CertificatePem" or "CertificateSigningRequest" && properties.ContainsKey(p))];
        if (ways.Length != 1)
            throw ExpressionReader.Wrong(at + ".Properties", "a certificate is given by one of CertificateId, CertificatePem and CertificateSigningRequest.");
        if (use != TemplateUse.Registration && ways[0] != "CertificateId")
            throw ExpressionReader.Wrong(at + ".Properties", "the device's certificate is given by its CertificateId here: {\"Ref\": \"AWS::IoT::Certificate::Id\"}.");
        if (properties.ContainsKey("CACertificatePem") && ways[0] != "CertificatePem")
            throw ExpressionReader.Wrong(at + ".Properties.CACertificatePem", "this goes with CertificatePem.");
        var status = Property(properties, "Status", at);
        if (status is Literal { Value: { } literal } && !IsStatus(literal.ToString()))
            throw ExpressionReader.Wrong(at + ".Properties.Status", "the Status is ACTIVE or INACTIVE.");
        return new(name)
        {
            Id = Property(properties, "CertificateId", at),
            Pem = Property(properties, "CertificatePem", at),
            CaPem = Property(properties, "CACertificatePem", at),
            SigningRequest = Property(properties, "CertificateSigningRequest", at),
            Status = status,
            StatusOverride = overrides.Count > 0 ? NoMerge(overrides, "Status", at) : Override.REPLACE,
        };
    }

    public static bool IsStatus(string status) => status.ToUpperInvariant() is "ACTIVE" or "INACTIVE";

    PolicyPart Policy(string name, JsonObject resource, string at)
    {
        if (resource.ContainsKey("OverrideSettings"))
            throw ExpressionReader.Wrong(at + ".OverrideSettings", "policies have none.");
        var properties = Properties(resource, at, PolicyProperties);
        var part = new PolicyPart(name, Property(properties, "PolicyName", at), Property(properties, "PolicyDocument", at));
        if (part.Name is null == part.Document is null)
            throw ExpressionReader.Wrong(at + ".Properties", "a policy is given by its PolicyName or by a PolicyDocument.");
        if (use != TemplateUse.Registration && part.Document is RefTo)
            throw ExpressionReader.Wrong(at + ".Properties.PolicyDocument", "a device cannot bring its own policy; write the document here.");
        if (part.Document is Literal { Value: { } document })
            CheckDocument(document, at + ".Properties.PolicyDocument");
        return part;
    }

    static void CheckDocument(JsonNode document, string at)
    {
        try
        {
            Policies.PolicyStore.CheckDocument(document.GetValueKind() == JsonValueKind.String ? document.GetValue<string>() : document.ToJsonString());
        }
        catch (Api.ServiceException refusal)
        {
            throw ExpressionReader.Wrong(at, refusal.Message);
        }
    }

    Expression? Property(JsonObject properties, string name, string at) =>
        properties[name] is { } node ? expressions.Read(node, $"{at}.Properties.{name}") : null;

    static JsonObject Properties(JsonObject resource, string at, string[] known)
    {
        var properties = resource["Properties"] as JsonObject ?? throw ExpressionReader.Wrong(at + ".Properties", "an object stands here.");
        return properties.FirstOrDefault(m => !known.Contains(m.Key)).Key is { } unknown
            ? throw ExpressionReader.Wrong($"{at}.Properties.{unknown}", $"there is no such property: {string.Join(", ", known)} are.")
            : properties;
    }

    static Dictionary<string, Override> Overrides(JsonObject resource, string at, string[] known)
    {
        Dictionary<string, Override> overrides = new(StringComparer.Ordinal);
        foreach (var (name, node) in resource["OverrideSettings"] is { } given
            ? given as JsonObject ?? throw ExpressionReader.Wrong(at + ".OverrideSettings", "an object stands here.") : [])
        {
            if (!known.Contains(name))
                throw ExpressionReader.Wrong($"{at}.OverrideSettings.{name}", $"there is no such setting: {string.Join(", ", known)} are.");
            overrides[name] = Enum.TryParse<Override>(node?.ToString(), out var value) && Enum.IsDefined(value) && !char.IsAsciiDigit(node!.ToString()[0])
                ? value
                : throw ExpressionReader.Wrong($"{at}.OverrideSettings.{name}", "DO_NOTHING, REPLACE, MERGE or FAIL stands here.");
        }
        return overrides;
    }

    static Override NoMerge(Dictionary<string, Override> overrides, string name, string at) => overrides.GetValueOrDefault(name) is var value and not Override.MERGE
        ? value
        : throw ExpressionReader.Wrong($"{at}.OverrideSettings.{name}", "MERGE is for AttributePayload and ThingGroups.");
}

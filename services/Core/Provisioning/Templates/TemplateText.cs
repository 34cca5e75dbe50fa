using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Core.Provisioning.Templates;

/// <summary>What a template is for, which says what it may contain.</summary>
enum TemplateUse
{
    /// <summary>RegisterThing and bulk registration: the caller brings certificates in any way.</summary>
    Registration,

    /// <summary>Devices bring values for the parameters.</summary>
    Fleet,

    /// <summary>The values are those of the device's certificate.</summary>
    JustInTime,
}

/// <summary>A template that was read: checked as far as it can be without values.</summary>
sealed record ProvisioningText
{
    /// <summary>Service quota and model: characters of a template.</summary>
    public const int CharactersMax = 10240;

    const int DepthMax = 32;

    /// <summary>"JITP overview": what just-in-time provisioning takes from the certificate's subject.</summary>
    public static readonly IReadOnlyList<string> CertificateParameters =
    [
        "AWS::IoT::Certificate::Country", "AWS::IoT::Certificate::Organization", "AWS::IoT::Certificate::OrganizationalUnit",
        "AWS::IoT::Certificate::DistinguishedNameQualifier", "AWS::IoT::Certificate::StateName", "AWS::IoT::Certificate::CommonName",
        "AWS::IoT::Certificate::SerialNumber", "AWS::IoT::Certificate::Id",
    ];

    static readonly string[] Sections = ["Parameters", "Mappings", "Resources", "DeviceConfiguration"];

    /// <summary>Parameters with their defaults; null for those that must be given.</summary>
    public required IReadOnlyDictionary<string, string?> Parameters { get; init; }
    public required JsonObject Mappings { get; init; }
    public ThingPart? Thing { get; init; }
    public CertificatePart? Certificate { get; init; }
    public IReadOnlyList<PolicyPart> Policies { get; init; } = [];
    public IReadOnlyDictionary<string, Expression> DeviceConfiguration { get; init; } = new Dictionary<string, Expression>();

    /// <exception cref="TemplateFault">It is no template, or none for this use: the message says where and why.</exception>
    public static ProvisioningText Read(string text, TemplateUse use)
    {
        if (text.Length > CharactersMax)
            throw new TemplateFault($"The template has {text.Length} characters; {CharactersMax} are allowed.");
        var root = Parse(text);
        if (root.FirstOrDefault(m => !Sections.Contains(m.Key)).Key is { } unknown)
            throw new TemplateFault($"There is no section '{unknown}' in templates: {string.Join(", ", Sections)} are.");
        var parameters = ReadParameters(Section(root, "Parameters"));
        var mappings = ReadMappings(Section(root, "Mappings"));
        var names = parameters.Keys.ToHashSet(StringComparer.Ordinal);
        if (use != TemplateUse.Registration)
            names.UnionWith(CertificateParameters);
        if (use == TemplateUse.JustInTime && parameters.Keys.FirstOrDefault(p => !CertificateParameters.Contains(p)) is { } foreign)
            throw new TemplateFault($"At Parameters.{foreign}: just-in-time provisioning knows the parameters {string.Join(", ", CertificateParameters)}.");
        var reader = new ExpressionReader(names, mappings);
        var resources = new ResourceReader(reader, use).Read(Section(root, "Resources")
            ?? throw new TemplateFault("The template has no Resources."));
        return resources with { Parameters = parameters, Mappings = mappings, DeviceConfiguration = ReadConfiguration(Section(root, "DeviceConfiguration"), reader, use) };
    }

    static JsonObject Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new() { MaxDepth = DepthMax, AllowDuplicateProperties = false });
            return JsonNode.Parse(document.RootElement.GetRawText()) as JsonObject ?? throw new TemplateFault("The template is no JSON object.");
        }
        catch (JsonException failure)
        {
            throw new TemplateFault($"The template is not well-formed JSON: {failure.Message}");
        }
    }

    static JsonObject? Section(JsonObject root, string name) => root[name] switch
    {
        null => null,
        JsonObject section => section,
        _ => throw ExpressionReader.Wrong(name, "an object stands here."),
    };

    static Dictionary<string, string?> ReadParameters(JsonObject? section)
    {
        Dictionary<string, string?> parameters = new(StringComparer.Ordinal);
        foreach (var (name, value) in section ?? [])
        {
            var at = "Parameters." + name;
            if (value is not JsonObject { } declared || declared.Any(m => m.Key is not ("Type" or "Default" or "Description")))
                throw ExpressionReader.Wrong(at, "a parameter is an object with Type, and Default if it has one.");
            if (declared["Type"] is not JsonValue type || type.GetValueKind() != JsonValueKind.String || type.GetValue<string>() != "String")
                throw ExpressionReader.Wrong(at, "the Type of a parameter is \"String\".");
            parameters[name] = declared["Default"] switch
            {
                null => null,
                JsonValue text when text.GetValueKind() == JsonValueKind.String => text.GetValue<string>(),
                _ => throw ExpressionReader.Wrong(at, "the Default of a parameter is a text."),
            };
        }
        return parameters;
    }

    static JsonObject ReadMappings(JsonObject? section)
    {
        foreach (var (name, map) in section ?? [])
        {
            foreach (var (key, values) in map as JsonObject ?? throw ExpressionReader.Wrong("Mappings." + name, "an object stands here."))
            {
                foreach (var (second, value) in values as JsonObject ?? throw ExpressionReader.Wrong($"Mappings.{name}.{key}", "an object stands here."))
                {
                    if (value is null or JsonObject || (value as JsonArray)?.Any(v => v is not JsonValue) is true)
                        throw ExpressionReader.Wrong($"Mappings.{name}.{key}.{second}", "a text or a list of texts stands here; functions have no place in Mappings.");
                }
            }
        }
        return section ?? [];
    }

    static Dictionary<string, Expression> ReadConfiguration(JsonObject? section, ExpressionReader reader, TemplateUse use)
    {
        if (section is not null && use != TemplateUse.Fleet)
            throw new TemplateFault("DeviceConfiguration is for fleet provisioning only: otherwise there is nobody to send it to.");
        var read = (section ?? []).ToDictionary(m => m.Key, m => reader.Read(m.Value, "DeviceConfiguration." + m.Key), StringComparer.Ordinal);
        return read.FirstOrDefault(m => m.Value is MapOf).Key is { } nested
            ? throw ExpressionReader.Wrong("DeviceConfiguration." + nested, "objects inside the configuration are not supported.")
            : read;
    }
}

enum Override { FAIL, DO_NOTHING, REPLACE, MERGE }

sealed record ThingPart(string LogicalName)
{
    public required Expression Name { get; init; }
    public IReadOnlyDictionary<string, Expression>? Attributes { get; init; }
    public Expression? TypeName { get; init; }
    public Expression? Groups { get; init; }
    public Expression? BillingGroup { get; init; }
    public Override AttributesOverride { get; init; }
    public Override TypeOverride { get; init; }
    public Override GroupsOverride { get; init; }
}

sealed record CertificatePart(string LogicalName)
{
    public Expression? Id { get; init; }
    public Expression? Pem { get; init; }
    public Expression? CaPem { get; init; }
    public Expression? SigningRequest { get; init; }
    public Expression? Status { get; init; }
    public Override StatusOverride { get; init; } = Override.REPLACE;
}

/// <summary>An existing policy by its name, or a document.</summary>
sealed record PolicyPart(string LogicalName, Expression? Name, Expression? Document);

using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Althing.Core.Policies;

namespace Althing.Core.Provisioning.Templates;

/// <summary>What a template asks for with the values of one device: names and texts, checked.</summary>
sealed partial record ProvisioningPlan
{
    public ThingPlan? Thing { get; init; }
    public CertificatePlan? Certificate { get; init; }
    public IReadOnlyList<PolicyPlan> Policies { get; init; } = [];
    public JsonObject DeviceConfiguration { get; init; } = [];

    /// <exception cref="TemplateFault">A value is missing or does not fit.</exception>
    public static ProvisioningPlan Of(ProvisioningText text, IReadOnlyDictionary<string, string> given)
    {
        Dictionary<string, string> parameters = new(StringComparer.Ordinal);
        foreach (var (name, standard) in text.Parameters)
        {
            if (given.GetValueOrDefault(name, standard!) is { } value)
                parameters[name] = value;
        }
        foreach (var name in ProvisioningText.CertificateParameters.Where(given.ContainsKey))
            parameters[name] = given[name];
        if (text.Parameters.Keys.FirstOrDefault(p => !parameters.ContainsKey(p)) is { } missing)
            throw new TemplateFault($"The parameter '{missing}' is not given and has no default.");
        var values = new TemplateValues { Parameters = parameters, Mappings = text.Mappings };
        return new()
        {
            Thing = text.Thing is { } thing ? ThingPlan.Of(thing, values) : null,
            Certificate = text.Certificate is { } certificate ? CertificatePlan.Of(certificate, values) : null,
            Policies = [.. text.Policies.Select(p => PolicyPlan.Of(p, values)).DistinctBy(p => p.Name)],
            DeviceConfiguration = new(text.DeviceConfiguration.Select(m => KeyValuePair.Create(m.Key, m.Value.Evaluate(values)))),
        };
    }

    internal static string Name(string name, string what, Regex pattern, int lengthMax = 128) => pattern.IsMatch(name) && name.Length <= lengthMax
        ? name
        : throw new TemplateFault($"'{Shortened(name)}' cannot be a {what}: it must match {pattern} and have at most {lengthMax} characters.");

    static string Shortened(string text) => text.Length <= 200 ? text : text[..200] + "…";

    [GeneratedRegex(@"\A" + Names.Thing + @"\z", RegexOptions.CultureInvariant)]
    internal static partial Regex RegistryName();

    [GeneratedRegex(@"\A" + Names.Policy + @"\z", RegexOptions.CultureInvariant)]
    internal static partial Regex PolicyName();

    [GeneratedRegex(@"\A" + Names.AttributeName + @"\z", RegexOptions.CultureInvariant)]
    internal static partial Regex AttributeName();

    [GeneratedRegex(@"\A" + Names.AttributeValue + @"\z", RegexOptions.CultureInvariant)]
    internal static partial Regex AttributeValue();

    [GeneratedRegex(@"\A[a-fA-F0-9]{64}\z", RegexOptions.CultureInvariant)]
    internal static partial Regex CertificateId();
}

sealed record ThingPlan(ThingPart Part, string Name)
{
    const int AttributeCharactersMax = 800;

    public IReadOnlyDictionary<string, string>? Attributes { get; init; }
    public string? TypeName { get; init; }
    public IReadOnlyList<string>? Groups { get; init; }
    public string? BillingGroup { get; init; }

    public static ThingPlan Of(ThingPart part, TemplateValues values) =>
        new(part, ProvisioningPlan.Name(part.Name.Text(values, "ThingName"), "thing's name", ProvisioningPlan.RegistryName()))
        {
            Attributes = part.Attributes?.ToDictionary(
                a => ProvisioningPlan.Name(a.Key, "attribute's name", ProvisioningPlan.AttributeName()),
                a => ProvisioningPlan.Name(a.Value.Text(values, $"The attribute '{a.Key}'"), "attribute's value", ProvisioningPlan.AttributeValue(), AttributeCharactersMax)),
            TypeName = part.TypeName is { } type ? ProvisioningPlan.Name(type.Text(values, "ThingTypeName"), "thing type's name", ProvisioningPlan.RegistryName()) : null,
            Groups = part.Groups?.List(values, "ThingGroups")
                .Select(g => ProvisioningPlan.Name(new Literal(g).Text(values, "A thing group"), "thing group's name", ProvisioningPlan.RegistryName())).Distinct().ToList(),
            BillingGroup = part.BillingGroup is { } billing
                ? ProvisioningPlan.Name(billing.Text(values, "BillingGroup"), "billing group's name", ProvisioningPlan.RegistryName()) : null,
        };
}

sealed record CertificatePlan(CertificatePart Part)
{
    public string? Id { get; init; }
    public string? Pem { get; init; }
    public string? CaPem { get; init; }
    public string? SigningRequest { get; init; }
    public required bool Active { get; init; }

    public static CertificatePlan Of(CertificatePart part, TemplateValues values)
    {
        var status = part.Status?.Text(values, "Status") ?? "ACTIVE";
        return new(part)
        {
            Id = part.Id is { } id ? ProvisioningPlan.Name(id.Text(values, "CertificateId"), "certificate's id", ProvisioningPlan.CertificateId()).ToLowerInvariant() : null,
            Pem = part.Pem?.Text(values, "CertificatePem"),
            CaPem = part.CaPem?.Text(values, "CACertificatePem"),
            SigningRequest = part.SigningRequest?.Text(values, "CertificateSigningRequest"),
            Active = ResourceReader.IsStatus(status)
                ? status.Equals("ACTIVE", StringComparison.OrdinalIgnoreCase)
                : throw new TemplateFault("The Status of the certificate is ACTIVE or INACTIVE."),
        };
    }
}

/// <param name="Name">The policy's name: given, or the hash of its document.</param>
/// <param name="Document">Null for a policy that must be there.</param>
sealed record PolicyPlan(PolicyPart Part, string Name, string? Document)
{
    public static PolicyPlan Of(PolicyPart part, TemplateValues values)
    {
        if (part.Name is { } given)
            return new(part, ProvisioningPlan.Name(given.Text(values, "PolicyName"), "policy's name", ProvisioningPlan.PolicyName()), null);
        var document = part.Document switch
        {
            MapOf map => map.Evaluate(values with { InPolicy = true })!.ToJsonString(),
            // The caller of RegisterThing gives the whole document.
            RefTo whole => whole.Text(values, "PolicyDocument"),
            var made => made!.Text(values with { InPolicy = true, InJsonText = true }, "PolicyDocument"),
        };
        try
        {
            PolicyStore.CheckDocument(document);
        }
        catch (Api.ServiceException refusal)
        {
            throw new TemplateFault(refusal.Message);
        }
        return new(part, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(document))), document);
    }
}

using Althing.Api;

namespace Althing.Core.CaCertificates;

/// <summary>What a device that registers itself is provisioned with.</summary>
sealed record RegistrationConfig
{
    [Length(0, 10240), Pattern(@"[\s\S]*")]
    public string? TemplateBody { get; init; }
    [Length(20, 2048)]
    public string? RoleArn { get; init; }
    [Length(1, 36), Pattern("^[0-9A-Za-z_-]+$")]
    public string? TemplateName { get; init; }

    /// <summary>A body or a name, and then a role.</summary>
    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void Check(RegistrationConfig? config)
    {
        if (config is { TemplateBody: not null, TemplateName: not null })
            throw Refuse.InvalidRequest("Give either 'templateBody' or 'templateName' in 'registrationConfig', not both.");
        if (config is { TemplateBody: not null, RoleArn: null })
            throw Refuse.InvalidRequest("'registrationConfig' with a 'templateBody' needs a 'roleArn'.");
        if (config?.TemplateBody is { } body)
            Provisioning.Templates.ProvisioningTemplate.CheckBody(body, Provisioning.Templates.TemplateUse.JustInTime);
    }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

[Operation<Iot>("GET /provisioning-templates/{templateName}")]
sealed class DescribeProvisioningTemplate(IStore store) : Operation<DescribeProvisioningTemplateRequest, DescribeProvisioningTemplateResponse>
{
    protected override Permission Needs(DescribeProvisioningTemplateRequest request, Caller caller) =>
        new("iot:DescribeProvisioningTemplate", ProvisioningTemplate.Arn(request.TemplateName, caller));

    protected override async ValueTask<DescribeProvisioningTemplateResponse> Run(DescribeProvisioningTemplateRequest request, Caller caller, CancellationToken cancel)
    {
        var template = (await ProvisioningTemplate.Require(store, caller.Account, request.TemplateName, cancel)).Value;
        return new()
        {
            TemplateArn = ProvisioningTemplate.Arn(template.Name, caller),
            TemplateName = template.Name,
            Description = template.Description,
            CreationDate = template.CreatedAt,
            LastModifiedDate = template.LastModifiedAt,
            DefaultVersionId = template.DefaultVersion,
            TemplateBody = template.Default.Body,
            Enabled = template.Enabled,
            ProvisioningRoleArn = template.RoleArn,
            PreProvisioningHook = template.PreProvisioningHook,
            Type = template.Type,
        };
    }
}

sealed record DescribeProvisioningTemplateRequest
{
    [Label, Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
}

sealed record DescribeProvisioningTemplateResponse
{
    public string? TemplateArn { get; init; }
    public string? TemplateName { get; init; }
    public string? Description { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
    public int? DefaultVersionId { get; init; }
    public string? TemplateBody { get; init; }
    public bool? Enabled { get; init; }
    public string? ProvisioningRoleArn { get; init; }
    public ProvisioningHook? PreProvisioningHook { get; init; }
    public string? Type { get; init; }
}

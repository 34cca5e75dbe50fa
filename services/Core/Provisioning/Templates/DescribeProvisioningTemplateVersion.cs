using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

[Operation<Iot>("GET /provisioning-templates/{templateName}/versions/{versionId}")]
sealed class DescribeProvisioningTemplateVersion(IStore store)
    : Operation<DescribeProvisioningTemplateVersionRequest, DescribeProvisioningTemplateVersionResponse>
{
    protected override Permission Needs(DescribeProvisioningTemplateVersionRequest request, Caller caller) =>
        new("iot:DescribeProvisioningTemplateVersion", ProvisioningTemplate.Arn(request.TemplateName, caller));

    protected override async ValueTask<DescribeProvisioningTemplateVersionResponse> Run(
        DescribeProvisioningTemplateVersionRequest request, Caller caller, CancellationToken cancel)
    {
        var template = (await ProvisioningTemplate.Require(store, caller.Account, request.TemplateName, cancel)).Value;
        var version = template.RequireVersion(request.VersionId);
        return new()
        {
            VersionId = version.Id,
            CreationDate = version.CreatedAt,
            TemplateBody = version.Body,
            IsDefaultVersion = version.Id == template.DefaultVersion,
        };
    }
}

sealed record DescribeProvisioningTemplateVersionRequest
{
    [Label, Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
    [Label]
    public required int VersionId { get; init; }
}

sealed record DescribeProvisioningTemplateVersionResponse
{
    public int? VersionId { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public string? TemplateBody { get; init; }
    public bool? IsDefaultVersion { get; init; }
}

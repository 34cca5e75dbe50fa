using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

[Operation<Iot>("POST /provisioning-templates/{templateName}/versions")]
sealed class CreateProvisioningTemplateVersion(IStore store, TimeProvider clock)
    : Operation<CreateProvisioningTemplateVersionRequest, CreateProvisioningTemplateVersionResponse>
{
    protected override Permission Needs(CreateProvisioningTemplateVersionRequest request, Caller caller) =>
        new("iot:CreateProvisioningTemplateVersion", ProvisioningTemplate.Arn(request.TemplateName, caller));

    protected override async ValueTask<CreateProvisioningTemplateVersionResponse> Run(
        CreateProvisioningTemplateVersionRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await ProvisioningTemplate.Require(store, caller.Account, request.TemplateName, cancel);
        var template = row.Value;
        ProvisioningTemplate.CheckBody(request.TemplateBody, template.Use);
        if (template.Versions.Count >= ProvisioningTemplate.VersionsMax)
            throw Refuse.VersionsLimitExceeded($"The template '{template.Name}' has {template.Versions.Count} versions. Delete one with DeleteProvisioningTemplateVersion.");
        var now = clock.GetUtcNow();
        var id = template.LastVersion + 1;
        var changed = template with
        {
            LastVersion = id,
            DefaultVersion = request.SetAsDefault is true ? id : template.DefaultVersion,
            Versions = [.. template.Versions, new(id, request.TemplateBody, now)],
            LastModifiedAt = now,
        };
        await store.Commit(new Batch().Replace(ProvisioningTemplate.Table, row, changed), cancel);
        return new()
        {
            TemplateArn = ProvisioningTemplate.Arn(template.Name, caller),
            TemplateName = template.Name,
            VersionId = id,
            IsDefaultVersion = changed.DefaultVersion == id,
        };
    }
}

sealed record CreateProvisioningTemplateVersionRequest
{
    [Label, Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
    [Length(0, 10240), Pattern(@"[\s\S]*")]
    public required string TemplateBody { get; init; }
    [Query]
    public bool? SetAsDefault { get; init; }
}

sealed record CreateProvisioningTemplateVersionResponse
{
    public string? TemplateArn { get; init; }
    public string? TemplateName { get; init; }
    public int? VersionId { get; init; }
    public bool? IsDefaultVersion { get; init; }
}

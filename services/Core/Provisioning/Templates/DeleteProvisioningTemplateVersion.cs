using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

[Operation<Iot>("DELETE /provisioning-templates/{templateName}/versions/{versionId}")]
sealed class DeleteProvisioningTemplateVersion(IStore store, TimeProvider clock) : Operation<DeleteProvisioningTemplateVersionRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteProvisioningTemplateVersionRequest request, Caller caller) =>
        new("iot:DeleteProvisioningTemplateVersion", ProvisioningTemplate.Arn(request.TemplateName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteProvisioningTemplateVersionRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await ProvisioningTemplate.Require(store, caller.Account, request.TemplateName, cancel);
        var version = row.Value.RequireVersion(request.VersionId);
        if (version.Id == row.Value.DefaultVersion)
            throw Refuse.DeleteConflict($"Version {version.Id} is the default version of '{row.Value.Name}'. Make another one the default first, or delete the template.");
        var changed = row.Value with { Versions = [.. row.Value.Versions.Where(v => v != version)], LastModifiedAt = clock.GetUtcNow() };
        await store.Commit(new Batch().Replace(ProvisioningTemplate.Table, row, changed), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteProvisioningTemplateVersionRequest
{
    [Label, Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
    [Label]
    public required int VersionId { get; init; }
}

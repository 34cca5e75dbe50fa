using Althing.Api;
using Althing.Core.CaCertificates;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

[Operation<Iot>("DELETE /provisioning-templates/{templateName}")]
sealed class DeleteProvisioningTemplate(IStore store) : Operation<DeleteProvisioningTemplateRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteProvisioningTemplateRequest request, Caller caller) =>
        new("iot:DeleteProvisioningTemplate", ProvisioningTemplate.Arn(request.TemplateName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteProvisioningTemplateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await ProvisioningTemplate.Require(store, caller.Account, request.TemplateName, cancel);
        if (row.Value.Versions.Count > 1)
            throw Refuse.DeleteConflict($"The template '{row.Value.Name}' has {row.Value.Versions.Count} versions. Delete all but the default one first.");
        var users = await store.Scan(CaCertificate.Table, caller.Account, new() { Index = "template", Prefix = Key.Prefix(row.Value.Name), Limit = 1 }, cancel);
        if (users is [{ Value: var ca }])
            throw Refuse.DeleteConflict($"The CA certificate {ca.Id} registers its devices with the template '{row.Value.Name}'. Give it another one by UpdateCACertificate first.");
        var batch = new Batch().Delete(ProvisioningTemplate.Table, row);
        TagStore.Forget(batch, caller.Account, ProvisioningTemplate.TagKey(row.Value.Name));
        await store.Commit(batch, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteProvisioningTemplateRequest
{
    [Label, Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
}

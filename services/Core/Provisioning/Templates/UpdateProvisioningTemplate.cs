using Althing.Api;
using Althing.Core.RoleAliases;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

[Operation<Iot>("PATCH /provisioning-templates/{templateName}")]
sealed class UpdateProvisioningTemplate(IStore store, TimeProvider clock) : Operation<UpdateProvisioningTemplateRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateProvisioningTemplateRequest request, Caller caller) =>
        new("iot:UpdateProvisioningTemplate", ProvisioningTemplate.Arn(request.TemplateName, caller))
        {
            And = request.ProvisioningRoleArn is { } role ? new("iam:PassRole", role) : null,
        };

    protected override void Check(UpdateProvisioningTemplateRequest request)
    {
        RoleAlias.CheckRole(request.ProvisioningRoleArn);
        ProvisioningHook.Check(request.PreProvisioningHook);
        if (request is { RemovePreProvisioningHook: true, PreProvisioningHook: not null })
            throw Refuse.InvalidRequest("'removePreProvisioningHook' and 'preProvisioningHook' exclude each other.");
    }

    protected override async ValueTask<EmptyResponse> Run(UpdateProvisioningTemplateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await ProvisioningTemplate.Require(store, caller.Account, request.TemplateName, cancel);
        var before = row.Value;
        if (request.PreProvisioningHook is not null && before.Type == ProvisioningTemplate.JustInTime)
            throw Refuse.InvalidRequest("Templates of type JITP have no 'preProvisioningHook'.");
        if (request.DefaultVersionId is { } version)
            before.RequireVersion(version);
        var changed = before with
        {
            Description = request.Description ?? before.Description,
            Enabled = request.Enabled ?? before.Enabled,
            DefaultVersion = request.DefaultVersionId ?? before.DefaultVersion,
            RoleArn = request.ProvisioningRoleArn ?? before.RoleArn,
            PreProvisioningHook = request.RemovePreProvisioningHook is true ? null : request.PreProvisioningHook ?? before.PreProvisioningHook,
            LastModifiedAt = clock.GetUtcNow(),
        };
        await store.Commit(new Batch().Replace(ProvisioningTemplate.Table, row, changed), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateProvisioningTemplateRequest
{
    [Label, Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
    [Length(0, 500), Pattern(@"[^\p{C}]*")]
    public string? Description { get; init; }
    public bool? Enabled { get; init; }
    public int? DefaultVersionId { get; init; }
    [Length(20, 2048)]
    public string? ProvisioningRoleArn { get; init; }
    public ProvisioningHook? PreProvisioningHook { get; init; }
    public bool? RemovePreProvisioningHook { get; init; }
}

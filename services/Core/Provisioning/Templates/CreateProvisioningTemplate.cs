using Althing.Api;
using Althing.Core.RoleAliases;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

[Operation<Iot>("POST /provisioning-templates")]
sealed class CreateProvisioningTemplate(IStore store, TagStore tags, TimeProvider clock)
    : Operation<CreateProvisioningTemplateRequest, CreateProvisioningTemplateResponse>
{
    protected override Permission Needs(CreateProvisioningTemplateRequest request, Caller caller) =>
        new("iot:CreateProvisioningTemplate", ProvisioningTemplate.Arn(request.TemplateName, caller)) { And = new("iam:PassRole", request.ProvisioningRoleArn) };

    protected override void Check(CreateProvisioningTemplateRequest request)
    {
        RoleAlias.CheckRole(request.ProvisioningRoleArn);
        ProvisioningHook.Check(request.PreProvisioningHook);
        if (request is { Type: ProvisioningTemplate.JustInTime, PreProvisioningHook: not null })
            throw Refuse.InvalidRequest("Templates of type JITP have no 'preProvisioningHook'.");
        ProvisioningTemplate.CheckBody(request.TemplateBody, request.Type == ProvisioningTemplate.JustInTime ? TemplateUse.JustInTime : TemplateUse.Fleet);
    }

    protected override async ValueTask<CreateProvisioningTemplateResponse> Run(CreateProvisioningTemplateRequest request, Caller caller, CancellationToken cancel)
    {
        var arn = ProvisioningTemplate.Arn(request.TemplateName, caller);
        if (await store.Get(ProvisioningTemplate.Table, caller.Account, request.TemplateName, cancel) is not null)
            throw Refuse.ResourceAlreadyExists($"There is a provisioning template '{request.TemplateName}' already.", request.TemplateName, arn);
        if (await store.Count(ProvisioningTemplate.Table, caller.Account, Scan.All, cancel) >= ProvisioningTemplate.PerAccountMax)
            throw Refuse.LimitExceeded($"The account has {ProvisioningTemplate.PerAccountMax} provisioning templates already. Delete one first.");
        var now = clock.GetUtcNow();
        var template = new ProvisioningTemplate
        {
            Account = caller.Account,
            Name = request.TemplateName,
            Type = request.Type ?? ProvisioningTemplate.Fleet,
            Description = request.Description,
            Enabled = request.Enabled is true,
            RoleArn = request.ProvisioningRoleArn,
            PreProvisioningHook = request.PreProvisioningHook,
            DefaultVersion = 1,
            LastVersion = 1,
            Versions = [new(1, request.TemplateBody, now)],
            CreatedAt = now,
            LastModifiedAt = now,
        };
        var batch = new Batch().Add(ProvisioningTemplate.Table, template);
        await tags.AddTags(batch, caller.Account, ProvisioningTemplate.TagKey(template.Name), request.Tags, cancel);
        await store.Commit(batch, cancel);
        return new() { TemplateArn = arn, TemplateName = template.Name, DefaultVersionId = 1 };
    }
}

sealed record CreateProvisioningTemplateRequest
{
    [Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
    [Length(0, 500), Pattern(@"[^\p{C}]*")]
    public string? Description { get; init; }
    [Length(0, 10240), Pattern(@"[\s\S]*")]
    public required string TemplateBody { get; init; }
    public bool? Enabled { get; init; }
    [Length(20, 2048)]
    public required string ProvisioningRoleArn { get; init; }
    public ProvisioningHook? PreProvisioningHook { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
    [OneOf("FLEET_PROVISIONING", "JITP")]
    public string? Type { get; init; }
}

sealed record CreateProvisioningTemplateResponse
{
    public string? TemplateArn { get; init; }
    public string? TemplateName { get; init; }
    public int? DefaultVersionId { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.RoleAliases;

[Operation<Iot>("PUT /role-aliases/{roleAlias}")]
sealed class UpdateRoleAlias(IStore store, RegistryChanges changes, TimeProvider clock) : Operation<UpdateRoleAliasRequest, UpdateRoleAliasResponse>
{
    protected override Permission Needs(UpdateRoleAliasRequest request, Caller caller) =>
        new("iot:UpdateRoleAlias", RoleAlias.Arn(request.RoleAlias, caller))
        {
            And = request.RoleArn is { } role ? new("iam:PassRole", role) : null,
        };

    protected override void Check(UpdateRoleAliasRequest request) => RoleAlias.CheckRole(request.RoleArn);

    protected override async ValueTask<UpdateRoleAliasResponse> Run(UpdateRoleAliasRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await RoleAlias.Require(store, caller.Account, request.RoleAlias, cancel);
        var changed = row.Value with
        {
            RoleArn = request.RoleArn ?? row.Value.RoleArn,
            CredentialSeconds = request.CredentialDurationSeconds ?? row.Value.CredentialSeconds,
            LastModifiedAt = clock.GetUtcNow(),
        };
        await store.Commit(new Batch().Replace(RoleAlias.Table, row, changed), cancel);
        changes.Publish(new(RegistryResource.RoleAlias, RegistryVerb.Updated, caller.Account, changed.Name) { Detail = changed });
        return new() { RoleAlias = changed.Name, RoleAliasArn = RoleAlias.Arn(changed.Name, caller) };
    }
}

sealed record UpdateRoleAliasRequest
{
    [Label, Length(1, 128), Pattern(Names.RoleAlias)]
    public required string RoleAlias { get; init; }
    [Length(20, 2048)]
    public string? RoleArn { get; init; }
    [Range(900, 43200)]
    public int? CredentialDurationSeconds { get; init; }
}

sealed record UpdateRoleAliasResponse
{
    public string? RoleAlias { get; init; }
    public string? RoleAliasArn { get; init; }
}

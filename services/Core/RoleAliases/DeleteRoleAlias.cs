using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.RoleAliases;

[Operation<Iot>("DELETE /role-aliases/{roleAlias}")]
sealed class DeleteRoleAlias(IStore store, RegistryChanges changes) : Operation<DeleteRoleAliasRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteRoleAliasRequest request, Caller caller) =>
        new("iot:DeleteRoleAlias", RoleAlias.Arn(request.RoleAlias, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteRoleAliasRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await RoleAlias.Require(store, caller.Account, request.RoleAlias, cancel);
        var batch = new Batch().Delete(RoleAlias.Table, row);
        TagStore.Forget(batch, caller.Account, RoleAlias.TagKey(row.Value.Name));
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.RoleAlias, RegistryVerb.Deleted, caller.Account, row.Value.Name) { Detail = row.Value });
        return EmptyResponse.Instance;
    }
}

sealed record DeleteRoleAliasRequest
{
    [Label, Length(1, 128), Pattern(Names.RoleAlias)]
    public required string RoleAlias { get; init; }
}

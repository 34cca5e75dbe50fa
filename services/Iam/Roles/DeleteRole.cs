using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Roles;

/// <summary>Deletes a role; its sessions end with it.</summary>
[Operation<IamApi>]
sealed class DeleteRole(IamStore iam) : Operation<DeleteRoleRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteRoleRequest request, Caller caller) => new("iam:DeleteRole", IamArns.Role(request.RoleName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteRoleRequest request, Caller caller, CancellationToken cancel)
    {
        var role = await iam.RequireRole(caller.Account, request.RoleName, cancel);
        if (role.Value.Policies.Count > 0)
            throw Refuse.DeleteConflict("Cannot delete entity, must delete policies first.");
        await iam.Commit(new Batch().Delete(Role.Table, role), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteRoleRequest
{
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
}

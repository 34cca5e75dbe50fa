using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Roles;

[Operation<IamApi>]
sealed class DeleteRolePolicy(IamStore iam) : Operation<DeleteRolePolicyRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteRolePolicyRequest request, Caller caller) => new("iam:DeleteRolePolicy", IamArns.Role(request.RoleName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteRolePolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var role = await iam.RequireRole(caller.Account, request.RoleName, cancel);
        var policies = InlinePolicies.Without(role.Value.Policies, request.PolicyName, $"role {request.RoleName}");
        await iam.Commit(new Batch().Replace(Role.Table, role, role.Value with { Policies = policies }), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteRolePolicyRequest
{
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
    [Length(1, 128), Pattern(Names.Entity)]
    public required string PolicyName { get; init; }
}

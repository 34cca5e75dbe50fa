using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Roles;

[Operation<IamApi>]
sealed class UpdateAssumeRolePolicy(IamStore iam) : Operation<UpdateAssumeRolePolicyRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateAssumeRolePolicyRequest request, Caller caller) =>
        new("iam:UpdateAssumeRolePolicy", IamArns.Role(request.RoleName, caller));

    protected override void Check(UpdateAssumeRolePolicyRequest request) => InlinePolicies.CheckTrust(request.PolicyDocument);

    protected override async ValueTask<EmptyResponse> Run(UpdateAssumeRolePolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var role = await iam.RequireRole(caller.Account, request.RoleName, cancel);
        await iam.Commit(new Batch().Replace(Role.Table, role, role.Value with { TrustPolicy = request.PolicyDocument }), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateAssumeRolePolicyRequest
{
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
    [Length(1, 131072), Pattern(Names.Document)]
    public required string PolicyDocument { get; init; }
}

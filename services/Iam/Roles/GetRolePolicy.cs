using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Roles;

[Operation<IamApi>(ReadOnly = true)]
sealed class GetRolePolicy(IamStore iam) : Operation<GetRolePolicyRequest, GetRolePolicyResponse>
{
    protected override Permission Needs(GetRolePolicyRequest request, Caller caller) => new("iam:GetRolePolicy", IamArns.Role(request.RoleName, caller));

    protected override async ValueTask<GetRolePolicyResponse> Run(GetRolePolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var role = await iam.RequireRole(caller.Account, request.RoleName, cancel);
        var document = InlinePolicies.Require(role.Value.Policies, request.PolicyName, $"role {request.RoleName}");
        return new() { RoleName = request.RoleName, PolicyName = request.PolicyName, PolicyDocument = document };
    }
}

sealed record GetRolePolicyRequest
{
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
    [Length(1, 128), Pattern(Names.Entity)]
    public required string PolicyName { get; init; }
}

sealed record GetRolePolicyResponse
{
    public required string RoleName { get; init; }
    public required string PolicyName { get; init; }

    /// <summary>Encoded as in a URL.</summary>
    public required string PolicyDocument { get; init; }
}

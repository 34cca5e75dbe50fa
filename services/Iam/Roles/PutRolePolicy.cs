using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Roles;

/// <summary>Gives a role a policy, or a policy a new text. It holds from the next request on, for sessions that exist too.</summary>
[Operation<IamApi>]
sealed class PutRolePolicy(IamStore iam) : Operation<PutRolePolicyRequest, EmptyResponse>
{
    protected override Permission Needs(PutRolePolicyRequest request, Caller caller) => new("iam:PutRolePolicy", IamArns.Role(request.RoleName, caller));

    protected override void Check(PutRolePolicyRequest request) => InlinePolicies.Check(request.PolicyDocument, PolicyKind.Identity);

    protected override async ValueTask<EmptyResponse> Run(PutRolePolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var role = await iam.RequireRole(caller.Account, request.RoleName, cancel);
        var policies = InlinePolicies.With(role.Value.Policies, request.PolicyName, request.PolicyDocument, InlinePolicies.RoleCharactersMax, $"role {request.RoleName}");
        await iam.Commit(new Batch().Replace(Role.Table, role, role.Value with { Policies = policies }), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record PutRolePolicyRequest
{
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
    [Length(1, 128), Pattern(Names.Entity)]
    public required string PolicyName { get; init; }
    [Length(1, 131072), Pattern(Names.Document)]
    public required string PolicyDocument { get; init; }
}

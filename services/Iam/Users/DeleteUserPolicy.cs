using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Users;

[Operation<IamApi>]
sealed class DeleteUserPolicy(IamStore iam) : Operation<DeleteUserPolicyRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteUserPolicyRequest request, Caller caller) => new("iam:DeleteUserPolicy", IamArns.User(request.UserName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteUserPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var user = await iam.RequireUser(caller.Account, request.UserName, cancel);
        var policies = InlinePolicies.Without(user.Value.Policies, request.PolicyName, $"user {request.UserName}");
        await iam.Commit(new Batch().Replace(User.Table, user, user.Value with { Policies = policies }), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteUserPolicyRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public required string UserName { get; init; }
    [Length(1, 128), Pattern(Names.Entity)]
    public required string PolicyName { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Users;

/// <summary>Gives a user a policy, or a policy a new text. It holds from the next request on.</summary>
[Operation<IamApi>]
sealed class PutUserPolicy(IamStore iam) : Operation<PutUserPolicyRequest, EmptyResponse>
{
    protected override Permission Needs(PutUserPolicyRequest request, Caller caller) => new("iam:PutUserPolicy", IamArns.User(request.UserName, caller));

    protected override void Check(PutUserPolicyRequest request) => InlinePolicies.Check(request.PolicyDocument, PolicyKind.Identity);

    protected override async ValueTask<EmptyResponse> Run(PutUserPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var user = await iam.RequireUser(caller.Account, request.UserName, cancel);
        var policies = InlinePolicies.With(user.Value.Policies, request.PolicyName, request.PolicyDocument, InlinePolicies.UserCharactersMax, $"user {request.UserName}");
        await iam.Commit(new Batch().Replace(User.Table, user, user.Value with { Policies = policies }), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record PutUserPolicyRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public required string UserName { get; init; }
    [Length(1, 128), Pattern(Names.Entity)]
    public required string PolicyName { get; init; }
    [Length(1, 131072), Pattern(Names.Document)]
    public required string PolicyDocument { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Users;

[Operation<IamApi>(ReadOnly = true)]
sealed class GetUserPolicy(IamStore iam) : Operation<GetUserPolicyRequest, GetUserPolicyResponse>
{
    protected override Permission Needs(GetUserPolicyRequest request, Caller caller) => new("iam:GetUserPolicy", IamArns.User(request.UserName, caller));

    protected override async ValueTask<GetUserPolicyResponse> Run(GetUserPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var user = await iam.RequireUser(caller.Account, request.UserName, cancel);
        var document = InlinePolicies.Require(user.Value.Policies, request.PolicyName, $"user {request.UserName}");
        return new() { UserName = request.UserName, PolicyName = request.PolicyName, PolicyDocument = document };
    }
}

sealed record GetUserPolicyRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public required string UserName { get; init; }
    [Length(1, 128), Pattern(Names.Entity)]
    public required string PolicyName { get; init; }
}

sealed record GetUserPolicyResponse
{
    public required string UserName { get; init; }
    public required string PolicyName { get; init; }

    /// <summary>Encoded as in a URL.</summary>
    public required string PolicyDocument { get; init; }
}

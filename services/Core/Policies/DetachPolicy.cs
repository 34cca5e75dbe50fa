using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Policies;

/// <summary>Detaching what is not attached changes nothing and succeeds.</summary>
[Operation<Iot>("POST /target-policies/{policyName}")]
sealed class DetachPolicy(PolicyTargets targets) : Operation<DetachPolicyRequest, EmptyResponse>
{
    protected override Permission Needs(DetachPolicyRequest request, Caller caller) => new("iot:DetachPolicy", request.Target);

    protected override async ValueTask<EmptyResponse> Run(DetachPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        await targets.Detach(caller, request.PolicyName, request.Target, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DetachPolicyRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    public required string Target { get; init; }
}

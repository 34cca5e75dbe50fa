using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Policies;

[Operation<Iot>("PUT /target-policies/{policyName}")]
sealed class AttachPolicy(PolicyTargets targets) : Operation<AttachPolicyRequest, EmptyResponse>
{
    protected override Permission Needs(AttachPolicyRequest request, Caller caller) => new("iot:AttachPolicy", request.Target);

    protected override async ValueTask<EmptyResponse> Run(AttachPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        await targets.Attach(caller, request.PolicyName, request.Target, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record AttachPolicyRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    public required string Target { get; init; }
}

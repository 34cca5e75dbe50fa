using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Policies;

/// <summary>The older form of DetachPolicy, for certificates and identities.</summary>
[Operation<Iot>("DELETE /principal-policies/{policyName}")]
sealed class DetachPrincipalPolicy(PolicyTargets targets) : Operation<DetachPrincipalPolicyRequest, EmptyResponse>
{
    protected override Permission Needs(DetachPrincipalPolicyRequest request, Caller caller) =>
        new("iot:DetachPrincipalPolicy", request.Principal);

    protected override async ValueTask<EmptyResponse> Run(DetachPrincipalPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        if (!await targets.Detach(caller, request.PolicyName, request.Principal, cancel))
            throw Refuse.ResourceNotFound($"Policy '{request.PolicyName}' is not attached to '{request.Principal}'.");
        return EmptyResponse.Instance;
    }
}

sealed record DetachPrincipalPolicyRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Header("x-amzn-iot-principal")]
    public required string Principal { get; init; }
}

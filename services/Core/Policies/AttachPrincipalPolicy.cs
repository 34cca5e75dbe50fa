using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Policies;

/// <summary>The older form of AttachPolicy, for certificates and identities.</summary>
[Operation<Iot>("PUT /principal-policies/{policyName}")]
sealed class AttachPrincipalPolicy(PolicyTargets targets) : Operation<AttachPrincipalPolicyRequest, EmptyResponse>
{
    protected override Permission Needs(AttachPrincipalPolicyRequest request, Caller caller) =>
        new("iot:AttachPrincipalPolicy", request.Principal);

    protected override async ValueTask<EmptyResponse> Run(AttachPrincipalPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        await targets.Attach(caller, request.PolicyName, request.Principal, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record AttachPrincipalPolicyRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Header("x-amzn-iot-principal")]
    public required string Principal { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Policies;

[Operation<Iot>("GET /policies/{policyName}")]
sealed class GetPolicy(PolicyStore policies) : Operation<GetPolicyRequest, GetPolicyResponse>
{
    protected override Permission Needs(GetPolicyRequest request, Caller caller) =>
        new("iot:GetPolicy", PolicyStore.Arn(request.PolicyName, caller));

    protected override async ValueTask<GetPolicyResponse> Run(GetPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var policy = (await policies.Require(caller.Account, request.PolicyName, cancel)).Value;
        return new()
        {
            PolicyName = policy.Name,
            PolicyArn = PolicyStore.Arn(policy.Name, caller),
            PolicyDocument = policy.Default.Document,
            DefaultVersionId = policy.Default.Id,
            CreationDate = policy.CreatedAt,
            LastModifiedDate = policy.LastModifiedAt,
            GenerationId = policy.GenerationId,
        };
    }
}

sealed record GetPolicyRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
}

sealed record GetPolicyResponse
{
    public string? PolicyName { get; init; }
    public string? PolicyArn { get; init; }
    public string? PolicyDocument { get; init; }
    public string? DefaultVersionId { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
    public string? GenerationId { get; init; }
}

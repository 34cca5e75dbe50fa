using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Policies;

[Operation<Iot>("GET /policies/{policyName}/version/{policyVersionId}")]
sealed class GetPolicyVersion(PolicyStore policies) : Operation<GetPolicyVersionRequest, GetPolicyVersionResponse>
{
    protected override Permission Needs(GetPolicyVersionRequest request, Caller caller) =>
        new("iot:GetPolicyVersion", PolicyStore.Arn(request.PolicyName, caller));

    protected override async ValueTask<GetPolicyVersionResponse> Run(GetPolicyVersionRequest request, Caller caller, CancellationToken cancel)
    {
        var policy = (await policies.Require(caller.Account, request.PolicyName, cancel)).Value;
        var version = PolicyStore.RequireVersion(policy, request.PolicyVersionId);
        return new()
        {
            PolicyArn = PolicyStore.Arn(policy.Name, caller),
            PolicyName = policy.Name,
            PolicyDocument = version.Document,
            PolicyVersionId = version.Id,
            IsDefaultVersion = version.Version == policy.DefaultVersion,
            CreationDate = version.CreatedAt,
            LastModifiedDate = version.CreatedAt,
            GenerationId = policy.GenerationId,
        };
    }
}

sealed record GetPolicyVersionRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Label, Pattern(Names.PolicyVersion)]
    public required string PolicyVersionId { get; init; }
}

sealed record GetPolicyVersionResponse
{
    public string? PolicyArn { get; init; }
    public string? PolicyName { get; init; }
    public string? PolicyDocument { get; init; }
    public string? PolicyVersionId { get; init; }
    public bool? IsDefaultVersion { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
    public string? GenerationId { get; init; }
}

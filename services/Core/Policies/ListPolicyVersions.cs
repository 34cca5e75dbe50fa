using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Policies;

[Operation<Iot>("GET /policies/{policyName}/version")]
sealed class ListPolicyVersions(PolicyStore policies) : Operation<ListPolicyVersionsRequest, ListPolicyVersionsResponse>
{
    protected override Permission Needs(ListPolicyVersionsRequest request, Caller caller) =>
        new("iot:ListPolicyVersions", PolicyStore.Arn(request.PolicyName, caller));

    protected override async ValueTask<ListPolicyVersionsResponse> Run(ListPolicyVersionsRequest request, Caller caller, CancellationToken cancel)
    {
        var policy = (await policies.Require(caller.Account, request.PolicyName, cancel)).Value;
        return new()
        {
            PolicyVersions =
            [
                .. from version in policy.Versions
                   orderby version.Version descending
                   select new PolicyVersionSummary
                   {
                       VersionId = version.Id,
                       IsDefaultVersion = version.Version == policy.DefaultVersion,
                       CreateDate = version.CreatedAt,
                   },
            ],
        };
    }
}

sealed record ListPolicyVersionsRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
}

sealed record ListPolicyVersionsResponse
{
    public IReadOnlyList<PolicyVersionSummary>? PolicyVersions { get; init; }
}

/// <summary>How the listing shows a version; the model calls it PolicyVersion.</summary>
sealed record PolicyVersionSummary
{
    public string? VersionId { get; init; }
    public bool? IsDefaultVersion { get; init; }
    public DateTimeOffset? CreateDate { get; init; }
}

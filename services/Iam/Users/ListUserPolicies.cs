using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Users;

[Operation<IamApi>(ReadOnly = true)]
sealed class ListUserPolicies(IamStore iam, IamListing listing) : Operation<ListUserPoliciesRequest, ListUserPoliciesResponse>
{
    protected override Permission Needs(ListUserPoliciesRequest request, Caller caller) => new("iam:ListUserPolicies", IamArns.User(request.UserName, caller));

    protected override async ValueTask<ListUserPoliciesResponse> Run(ListUserPoliciesRequest request, Caller caller, CancellationToken cancel)
    {
        var user = await iam.RequireUser(caller.Account, request.UserName, cancel);
        var page = listing.Cut(user.Value.Policies.Keys, n => n, caller, $"ListUserPolicies {request.UserName}", request.Marker, request.MaxItems);
        return new() { PolicyNames = page.Items, IsTruncated = page.Marker is not null, Marker = page.Marker };
    }
}

sealed record ListUserPoliciesRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public required string UserName { get; init; }
    [Length(1, 320), Pattern(Names.Marker)]
    public string? Marker { get; init; }
    [Range(1, 1000)]
    public int? MaxItems { get; init; }
}

sealed record ListUserPoliciesResponse
{
    public required IReadOnlyList<string> PolicyNames { get; init; }
    public required bool IsTruncated { get; init; }
    public string? Marker { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Roles;

[Operation<IamApi>(ReadOnly = true)]
sealed class ListRolePolicies(IamStore iam, IamListing listing) : Operation<ListRolePoliciesRequest, ListRolePoliciesResponse>
{
    protected override Permission Needs(ListRolePoliciesRequest request, Caller caller) => new("iam:ListRolePolicies", IamArns.Role(request.RoleName, caller));

    protected override async ValueTask<ListRolePoliciesResponse> Run(ListRolePoliciesRequest request, Caller caller, CancellationToken cancel)
    {
        var role = await iam.RequireRole(caller.Account, request.RoleName, cancel);
        var page = listing.Cut(role.Value.Policies.Keys, n => n, caller, $"ListRolePolicies {request.RoleName}", request.Marker, request.MaxItems);
        return new() { PolicyNames = page.Items, IsTruncated = page.Marker is not null, Marker = page.Marker };
    }
}

sealed record ListRolePoliciesRequest
{
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
    [Length(1, 320), Pattern(Names.Marker)]
    public string? Marker { get; init; }
    [Range(1, 1000)]
    public int? MaxItems { get; init; }
}

sealed record ListRolePoliciesResponse
{
    public required IReadOnlyList<string> PolicyNames { get; init; }
    public required bool IsTruncated { get; init; }
    public string? Marker { get; init; }
}

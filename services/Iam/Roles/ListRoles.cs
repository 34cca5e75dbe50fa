using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Roles;

[Operation<IamApi>(ReadOnly = true)]
sealed class ListRoles(IamListing listing) : Operation<ListRolesRequest, ListRolesResponse>
{
    protected override Permission Needs(ListRolesRequest request, Caller caller) => new("iam:ListRoles");

    protected override async ValueTask<ListRolesResponse> Run(ListRolesRequest request, Caller caller, CancellationToken cancel)
    {
        // Every path is "/".
        if (request.PathPrefix is not (null or "/"))
            return new() { Roles = [], IsTruncated = false };
        var page = await listing.Read(Role.Table, caller, "ListRoles", request.Marker, request.MaxItems, cancel);
        return new() { Roles = [.. page.Items.Select(RoleShape.Of)], IsTruncated = page.Marker is not null, Marker = page.Marker };
    }
}

sealed record ListRolesRequest
{
    [Length(1, 512), Pattern(Names.PathPrefix)]
    public string? PathPrefix { get; init; }
    [Length(1, 320), Pattern(Names.Marker)]
    public string? Marker { get; init; }
    [Range(1, 1000)]
    public int? MaxItems { get; init; }
}

sealed record ListRolesResponse
{
    public required IReadOnlyList<RoleShape> Roles { get; init; }
    public required bool IsTruncated { get; init; }
    public string? Marker { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Users;

[Operation<IamApi>(ReadOnly = true)]
sealed class ListUsers(IamListing listing) : Operation<ListUsersRequest, ListUsersResponse>
{
    protected override Permission Needs(ListUsersRequest request, Caller caller) => new("iam:ListUsers");

    protected override async ValueTask<ListUsersResponse> Run(ListUsersRequest request, Caller caller, CancellationToken cancel)
    {
        // Every path is "/".
        if (request.PathPrefix is not (null or "/"))
            return new() { Users = [], IsTruncated = false };
        var page = await listing.Read(User.Table, caller, "ListUsers", request.Marker, request.MaxItems, cancel);
        return new() { Users = [.. page.Items.Select(UserShape.Of)], IsTruncated = page.Marker is not null, Marker = page.Marker };
    }
}

sealed record ListUsersRequest
{
    [Length(1, 512), Pattern(Names.PathPrefix)]
    public string? PathPrefix { get; init; }
    [Length(1, 320), Pattern(Names.Marker)]
    public string? Marker { get; init; }
    [Range(1, 1000)]
    public int? MaxItems { get; init; }
}

sealed record ListUsersResponse
{
    public required IReadOnlyList<UserShape> Users { get; init; }
    public required bool IsTruncated { get; init; }
    public string? Marker { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.RoleAliases;

[Operation<Iot>("GET /role-aliases")]
sealed class ListRoleAliases(Listing listing) : Operation<ListRoleAliasesRequest, ListRoleAliasesResponse>
{
    protected override Permission Needs(ListRoleAliasesRequest request, Caller caller) => new("iot:ListRoleAliases");

    protected override async ValueTask<ListRoleAliasesResponse> Run(ListRoleAliasesRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = new Scan { Index = "created", Descending = request.AscendingOrder is not true };
        var page = await listing.Read(RoleAlias.Table, caller, $"ListRoleAliases {scan.Descending}", scan, request.Marker, request.PageSize, cancel);
        return new() { RoleAliases = [.. page.Items.Select(a => a.Name)], NextMarker = page.Next };
    }
}

sealed record ListRoleAliasesRequest
{
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListRoleAliasesResponse
{
    public IReadOnlyList<string>? RoleAliases { get; init; }
    public string? NextMarker { get; init; }
}

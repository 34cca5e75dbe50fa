using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>
/// The account's groups by name: all of them, those at the root (<c>recursive</c> false), or those below a parent, directly or (with
/// <c>recursive</c>) at any depth.
/// </summary>
[Operation<Iot>("GET /thing-groups")]
sealed class ListThingGroups(ThingGroupStore groups, Listing listing) : Operation<ListThingGroupsRequest, ListThingGroupsResponse>
{
    protected override Permission Needs(ListThingGroupsRequest request, Caller caller) => new("iot:ListThingGroups");

    protected override async ValueTask<ListThingGroupsResponse> Run(ListThingGroupsRequest request, Caller caller, CancellationToken cancel)
    {
        if (request.ParentGroup is { } parent)
            await groups.Require(caller.Account, parent, cancel);
        var name = $"ListThingGroups {request.ParentGroup} {request.Recursive} {request.NamePrefixFilter}";
        var page = request is { ParentGroup: { } top, Recursive: true }
            ? await Below(top, name, request, caller, cancel)
            : await ByIndex(name, request, caller, cancel);
        return new() { ThingGroups = [.. page.Items.Select(g => GroupNameAndArn.Of(g, caller))], NextToken = page.Next };
    }

    async ValueTask<Page<string>> Below(string top, string name, ListThingGroupsRequest request, Caller caller, CancellationToken cancel)
    {
        var below = await groups.Descendants(caller.Account, top, cancel);
        var fitting = below.Where(g => g.StartsWith(request.NamePrefixFilter ?? "", StringComparison.Ordinal));
        return listing.Cut(fitting, caller, name, request.NextToken, request.MaxResults);
    }

    async ValueTask<Page<string>> ByIndex(string name, ListThingGroupsRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = request is { ParentGroup: null, Recursive: not false }
            ? Scan.Under(request.NamePrefixFilter ?? "")
            : new() { Index = "parent", Prefix = Key.Prefix(request.ParentGroup ?? "") + request.NamePrefixFilter };
        var page = await listing.Read(ThingGroup.Table, caller, name, scan, request.NextToken, request.MaxResults, cancel);
        return new([.. page.Items.Select(g => g.Name)], page.Next);
    }
}

sealed record ListThingGroupsRequest
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query, Length(1, 128), Pattern(Names.ThingGroup)]
    public string? ParentGroup { get; init; }
    [Query, Length(1, 128), Pattern(Names.ThingGroup)]
    public string? NamePrefixFilter { get; init; }
    [Query]
    public bool? Recursive { get; init; }
}

sealed record ListThingGroupsResponse
{
    public IReadOnlyList<GroupNameAndArn>? ThingGroups { get; init; }
    public string? NextToken { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

/// <summary>The account's authorizers by name.</summary>
[Operation<Iot>("GET /authorizers/")]
sealed class ListAuthorizers(IStore store, PageTokens tokens) : Operation<ListAuthorizersRequest, ListAuthorizersResponse>
{
    protected override Permission Needs(ListAuthorizersRequest request, Caller caller) => new("iot:ListAuthorizers");

    protected override async ValueTask<ListAuthorizersResponse> Run(ListAuthorizersRequest request, Caller caller, CancellationToken cancel)
    {
        var (descending, size) = (request.AscendingOrder is not true, request.PageSize ?? Listing.PageSizeDefault);
        var listing = $"ListAuthorizers {descending} {request.Status}";
        var after = tokens.Open(caller, listing, request.Marker, Refuse.InvalidRequest);
        // An account has ten at most, so they are read whole.
        var all = await store.Scan(Authorizer.Table, caller.Account, new() { Descending = descending }, cancel);
        var rest = all.Select(a => a.Value)
            .Where(a => request.Status is null || a.Active == (request.Status == "ACTIVE"))
            .Where(a => after is null || (descending ? string.CompareOrdinal(a.Name, after) < 0 : string.CompareOrdinal(a.Name, after) > 0)).ToList();
        return new()
        {
            Authorizers = [.. rest.Take(size).Select(a => new AuthorizerSummary { AuthorizerName = a.Name, AuthorizerArn = Authorizer.Arn(a.Name, caller) })],
            NextMarker = rest.Count > size ? tokens.Seal(caller, listing, rest[size - 1].Name) : null,
        };
    }
}

sealed record ListAuthorizersRequest
{
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
    [Query, OneOf("ACTIVE", "INACTIVE")]
    public string? Status { get; init; }
}

sealed record ListAuthorizersResponse
{
    public IReadOnlyList<AuthorizerSummary>? Authorizers { get; init; }
    public string? NextMarker { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Tags;

/// <summary>A resource's tags by key, all in one page: there are never more than fifty.</summary>
[Operation<Iot>("GET /tags")]
sealed class ListTagsForResource(Taggable taggable, TagStore tags, Listing listing) : Operation<ListTagsForResourceRequest, ListTagsForResourceResponse>
{
    protected override Permission Needs(ListTagsForResourceRequest request, Caller caller) => new("iot:ListTagsForResource", request.ResourceArn);

    protected override async ValueTask<ListTagsForResourceResponse> Run(ListTagsForResourceRequest request, Caller caller, CancellationToken cancel)
    {
        var resource = await taggable.Require(new Batch(), request.ResourceArn, caller.Account, cancel);
        var there = await tags.Get(caller.Account, resource, cancel);
        var page = listing.Cut(there.Keys.Order(StringComparer.Ordinal), caller, $"ListTagsForResource {resource}", request.NextToken, TagStore.TagsMax);
        return new() { Tags = [.. page.Items.Select(k => new Tag { Key = k, Value = there[k] })], NextToken = page.Next };
    }
}

sealed record ListTagsForResourceRequest
{
    [Query]
    public required string ResourceArn { get; init; }
    [Query]
    public string? NextToken { get; init; }
}

sealed record ListTagsForResourceResponse
{
    public IReadOnlyList<Tag>? Tags { get; init; }
    public string? NextToken { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Tags;

/// <summary>Adds tags to a resource, or changes the values of those it has.</summary>
[Operation<Iot>("POST /tags")]
sealed class TagResource(IStore store, Taggable taggable, TagStore tags) : Operation<TagResourceRequest, EmptyResponse>
{
    protected override Permission Needs(TagResourceRequest request, Caller caller) => new("iot:TagResource", request.ResourceArn);

    protected override async ValueTask<EmptyResponse> Run(TagResourceRequest request, Caller caller, CancellationToken cancel)
    {
        var batch = new Batch();
        var resource = await taggable.Require(batch, request.ResourceArn, caller.Account, cancel);
        var there = await tags.Get(caller.Account, resource, cancel);
        var count = there.Keys.Union(request.Tags.Select(t => t.Key), StringComparer.Ordinal).Count();
        if (count > TagStore.TagsMax)
            throw Refuse.LimitExceeded($"A resource has at most {TagStore.TagsMax} tags; '{request.ResourceArn}' would have {count}. Remove some with UntagResource.");
        await tags.AddTags(batch, caller.Account, resource, request.Tags, cancel);
        await store.Commit(batch, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record TagResourceRequest
{
    public required string ResourceArn { get; init; }
    public required IReadOnlyList<Tag> Tags { get; init; }
}

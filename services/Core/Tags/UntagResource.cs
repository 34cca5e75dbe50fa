using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Tags;

/// <summary>Removes tags by their keys; keys that the resource does not have do not matter.</summary>
[Operation<Iot>("POST /untag")]
sealed class UntagResource(IStore store, Taggable taggable, TagStore tags) : Operation<UntagResourceRequest, EmptyResponse>
{
    protected override Permission Needs(UntagResourceRequest request, Caller caller) => new("iot:UntagResource", request.ResourceArn);

    protected override async ValueTask<EmptyResponse> Run(UntagResourceRequest request, Caller caller, CancellationToken cancel)
    {
        var batch = new Batch();
        var resource = await taggable.Require(batch, request.ResourceArn, caller.Account, cancel);
        await tags.Remove(batch, caller.Account, resource, request.TagKeys, cancel);
        await store.Commit(batch, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record UntagResourceRequest
{
    public required string ResourceArn { get; init; }
    [Each(LengthMin = 1, LengthMax = 128, Pattern = Names.TagKey)]
    public required IReadOnlyList<string> TagKeys { get; init; }
}

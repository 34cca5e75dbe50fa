using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Ota.Streams;

/// <summary>Deletes a stream; the objects that it led to stay.</summary>
[Operation<Iot>("DELETE /streams/{streamId}")]
sealed class DeleteStream(IStore store) : Operation<DeleteStreamRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteStreamRequest request, Caller caller) => new("iot:DeleteStream", IotStream.Arn(request.StreamId, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteStreamRequest request, Caller caller, CancellationToken cancel)
    {
        var batch = new Batch().Delete(IotStream.Table, await IotStream.Require(store, caller.Account, request.StreamId, cancel));
        TagStore.Forget(batch, caller.Account, IotStream.TagKey(request.StreamId));
        await store.Commit(batch, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteStreamRequest
{
    [Label, Length(1, 128), Pattern(IotStream.NamePattern)]
    public required string StreamId { get; init; }
}

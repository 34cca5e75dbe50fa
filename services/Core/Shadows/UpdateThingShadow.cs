using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Shadows;

/// <summary>Changes the fields that the request names, and tells the shadow's topics so.</summary>
[Operation<IotData>("POST /things/{thingName}/shadow")]
sealed class UpdateThingShadow(ShadowDesk desk) : Operation<UpdateThingShadowRequest, ShadowDocument>
{
    protected override Permission Needs(UpdateThingShadowRequest request, Caller caller) => request.Needs("iot:UpdateThingShadow", caller);

    protected override ValueTask<ShadowDocument> Run(UpdateThingShadowRequest request, Caller caller, CancellationToken cancel) =>
        ShadowDocument.Of(desk, new(caller.Account, request.ThingName, request.ShadowName ?? "", ShadowVerb.Update, request.Payload, null));
}

sealed record UpdateThingShadowRequest : ShadowAddress
{
    [Payload]
    public required byte[] Payload { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Shadows;

/// <summary>Deletes the shadow; its version is remembered for two days.</summary>
[Operation<IotData>("DELETE /things/{thingName}/shadow")]
sealed class DeleteThingShadow(ShadowDesk desk) : Operation<ShadowAddress, ShadowDocument>
{
    protected override Permission Needs(ShadowAddress request, Caller caller) => request.Needs("iot:DeleteThingShadow", caller);

    protected override ValueTask<ShadowDocument> Run(ShadowAddress request, Caller caller, CancellationToken cancel) =>
        ShadowDocument.Of(desk, new(caller.Account, request.ThingName, request.ShadowName ?? "", ShadowVerb.Delete, default, null));
}

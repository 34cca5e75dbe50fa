using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Shadows;

/// <summary>The shadow's whole document, with the difference between desired and reported.</summary>
[Operation<IotData>("GET /things/{thingName}/shadow")]
sealed class GetThingShadow(ShadowDesk desk) : Operation<ShadowAddress, ShadowDocument>
{
    protected override Permission Needs(ShadowAddress request, Caller caller) => request.Needs("iot:GetThingShadow", caller);

    protected override ValueTask<ShadowDocument> Run(ShadowAddress request, Caller caller, CancellationToken cancel) =>
        ShadowDocument.Of(desk, new(caller.Account, request.ThingName, request.ShadowName ?? "", ShadowVerb.Get, default, null));
}

/// <summary>Which shadow: a thing's named one, or its classic one.</summary>
record ShadowAddress
{
    [Label, Length(1, 128), Pattern("[a-zA-Z0-9:_-]+")]
    public required string ThingName { get; init; }
    [Query("name"), Length(1, 64), Pattern("[$a-zA-Z0-9:_-]+")]
    public string? ShadowName { get; init; }

    /// <summary>A named shadow is a resource of its own, under its thing's.</summary>
    public Permission Needs(string action, Caller caller) =>
        new(action, caller.ArnOf("iot", ShadowName is null ? $"thing/{ThingName}" : $"thing/{ThingName}/{ShadowName}"));
}

sealed record ShadowDocument
{
    [Payload]
    public byte[]? Payload { get; init; }

    public static async ValueTask<ShadowDocument> Of(ShadowDesk desk, ShadowRequest request)
    {
        try
        {
            return new() { Payload = ShadowTree.Write((await desk.Ask(request)).Answer()) };
        }
        catch (ShadowRefusal refusal)
        {
            throw refusal.ToServiceException();
        }
    }
}

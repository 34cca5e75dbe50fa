using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Ota.Streams;

/// <summary>The streams by when they were made, the latest first unless asked otherwise.</summary>
[Operation<Iot>("GET /streams")]
sealed class ListStreams(Listing listing) : Operation<ListStreamsRequest, ListStreamsResponse>
{
    protected override Permission Needs(ListStreamsRequest request, Caller caller) => new("iot:ListStreams");

    protected override async ValueTask<ListStreamsResponse> Run(ListStreamsRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = new Scan { Index = "created", Descending = request.AscendingOrder is not true };
        var page = await listing.Read(IotStream.Table, caller, $"ListStreams {scan.Descending}", scan, request.NextToken, request.MaxResults, cancel);
        return new() { Streams = [.. page.Items.Select(s => StreamSummary.Of(s, caller))], NextToken = page.Next };
    }
}

sealed record ListStreamsRequest
{
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListStreamsResponse
{
    public IReadOnlyList<StreamSummary>? Streams { get; init; }
    public string? NextToken { get; init; }
}

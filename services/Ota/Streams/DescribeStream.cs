using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Ota.Streams;

[Operation<Iot>("GET /streams/{streamId}")]
sealed class DescribeStream(IStore store) : Operation<DescribeStreamRequest, DescribeStreamResponse>
{
    protected override Permission Needs(DescribeStreamRequest request, Caller caller) => new("iot:DescribeStream", IotStream.Arn(request.StreamId, caller));

    protected override async ValueTask<DescribeStreamResponse> Run(DescribeStreamRequest request, Caller caller, CancellationToken cancel)
    {
        var stream = (await IotStream.Require(store, caller.Account, request.StreamId, cancel)).Value;
        return new()
        {
            StreamInfo = new()
            {
                StreamId = stream.Id,
                StreamArn = IotStream.Arn(stream.Id, caller),
                StreamVersion = stream.Version,
                Description = stream.Description,
                Files = [.. stream.Files.Select(StreamFile.Of)],
                CreatedAt = stream.CreatedAt,
                LastUpdatedAt = stream.UpdatedAt,
                RoleArn = stream.RoleArn,
            },
        };
    }
}

sealed record DescribeStreamRequest
{
    [Label, Length(1, 128), Pattern(IotStream.NamePattern)]
    public required string StreamId { get; init; }
}

sealed record DescribeStreamResponse
{
    public StreamInfo? StreamInfo { get; init; }
}

sealed record StreamInfo
{
    public string? StreamId { get; init; }
    public string? StreamArn { get; init; }
    public int? StreamVersion { get; init; }
    public string? Description { get; init; }
    public IReadOnlyList<StreamFile>? Files { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
    public string? RoleArn { get; init; }
}

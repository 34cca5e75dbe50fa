using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Ota.Streams;

[Operation<Iot>("POST /streams/{streamId}")]
sealed class CreateStream(IStore store, StreamSources sources, TagStore tags, StreamLimits limits, TimeProvider clock)
    : Operation<CreateStreamRequest, CreateStreamResponse>
{
    protected override Permission Needs(CreateStreamRequest request, Caller caller) =>
        new("iot:CreateStream", IotStream.Arn(request.StreamId, caller)) { And = new("iam:PassRole", request.RoleArn) };

    protected override void Check(CreateStreamRequest request) => StreamSources.Check(request.Files);

    protected override async ValueTask<CreateStreamResponse> Run(CreateStreamRequest request, Caller caller, CancellationToken cancel)
    {
        var arn = IotStream.Arn(request.StreamId, caller);
        if (await store.Get(IotStream.Table, caller.Account, request.StreamId, cancel) is not null)
            throw Refuse.ResourceAlreadyExists($"There is a stream '{request.StreamId}' already. Change it by UpdateStream.", request.StreamId, arn);
        if (await store.Count(IotStream.Table, caller.Account, Scan.All, cancel) >= limits.StreamsMax)
            throw Refuse.LimitExceeded($"An account has at most {limits.StreamsMax} streams. Delete some first.");
        var now = clock.GetUtcNow();
        var stream = new IotStream
        {
            Account = caller.Account,
            Id = request.StreamId,
            Version = 1,
            Description = request.Description,
            Files = await sources.Resolve(caller.Account, request.RoleArn, request.Files, cancel),
            RoleArn = request.RoleArn,
            CreatedAt = now,
            UpdatedAt = now,
        };
        var batch = new Batch().Add(IotStream.Table, stream);
        await tags.AddTags(batch, caller.Account, IotStream.TagKey(stream.Id), request.Tags, cancel);
        await store.Commit(batch, cancel);
        return new() { StreamId = stream.Id, StreamArn = arn, Description = stream.Description, StreamVersion = stream.Version };
    }
}

sealed record CreateStreamRequest
{
    [Label, Length(1, 128), Pattern(IotStream.NamePattern)]
    public required string StreamId { get; init; }
    [Length(0, 2028), Pattern(@"[^\p{C}]+")]
    public string? Description { get; init; }
    [Length(1, 50)]
    public required IReadOnlyList<StreamFile> Files { get; init; }
    [Length(20, 2048)]
    public required string RoleArn { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record CreateStreamResponse
{
    public string? StreamId { get; init; }
    public string? StreamArn { get; init; }
    public string? Description { get; init; }
    public int? StreamVersion { get; init; }
}

using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Ota.Streams;

/// <summary>Changes a stream. Each change makes the next version, by which devices notice that it is not what they began to fetch.</summary>
[Operation<Iot>("PUT /streams/{streamId}")]
sealed class UpdateStream(IStore store, StreamSources sources, TimeProvider clock) : Operation<UpdateStreamRequest, UpdateStreamResponse>
{
    protected override Permission Needs(UpdateStreamRequest request, Caller caller) => new("iot:UpdateStream", IotStream.Arn(request.StreamId, caller))
    {
        And = request.RoleArn is { } role ? new("iam:PassRole", role) : null,
    };

    protected override void Check(UpdateStreamRequest request)
    {
        if (request.Files is { } files)
            StreamSources.Check(files);
    }

    protected override async ValueTask<UpdateStreamResponse> Run(UpdateStreamRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await IotStream.Require(store, caller.Account, request.StreamId, cancel);
        var stream = row.Value;
        if (stream.Version == IotStream.VersionMax)
            throw Refuse.LimitExceeded($"The stream '{stream.Id}' has its last version, {IotStream.VersionMax}. Make another stream.");
        var role = request.RoleArn ?? stream.RoleArn;
        var changed = stream with
        {
            Version = stream.Version + 1,
            Description = request.Description ?? stream.Description,
            // Files that are not named anew stay what they were: devices that fetch them go on, with the same content.
            Files = request.Files is { } files ? await sources.Resolve(caller.Account, role, files, cancel) : stream.Files,
            RoleArn = role,
            UpdatedAt = clock.GetUtcNow(),
        };
        if (request is { RoleArn: not null, Files: null })
            await sources.Resolve(caller.Account, role, [.. stream.Files.Select(StreamFile.Of)], cancel);
        await store.Commit(new Batch().Replace(IotStream.Table, row, changed), cancel);
        return new() { StreamId = changed.Id, StreamArn = IotStream.Arn(changed.Id, caller), Description = changed.Description, StreamVersion = changed.Version };
    }
}

sealed record UpdateStreamRequest
{
    [Label, Length(1, 128), Pattern(IotStream.NamePattern)]
    public required string StreamId { get; init; }
    [Length(0, 2028), Pattern(@"[^\p{C}]+")]
    public string? Description { get; init; }
    [Length(1, 50)]
    public IReadOnlyList<StreamFile>? Files { get; init; }
    [Length(20, 2048)]
    public string? RoleArn { get; init; }
}

sealed record UpdateStreamResponse
{
    public string? StreamId { get; init; }
    public string? StreamArn { get; init; }
    public string? Description { get; init; }
    public int? StreamVersion { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Ota.Streams;

sealed record StreamFile
{
    [Range(0, 255)]
    public int? FileId { get; init; }
    public S3Location? S3Location { get; init; }

    public static StreamFile Of(SourceFile file) => new()
    {
        FileId = file.FileId, S3Location = new() { Bucket = file.Bucket, Key = file.Key, Version = file.ObjectVersion },
    };
}

sealed record S3Location
{
    [Length(1)]
    public string? Bucket { get; init; }
    [Length(1)]
    public string? Key { get; init; }
    public string? Version { get; init; }
}

sealed record StreamSummary
{
    public string? StreamId { get; init; }
    public string? StreamArn { get; init; }
    public int? StreamVersion { get; init; }
    public string? Description { get; init; }

    public static StreamSummary Of(IotStream stream, Caller caller) => new()
    {
        StreamId = stream.Id, StreamArn = IotStream.Arn(stream.Id, caller), StreamVersion = stream.Version, Description = stream.Description,
    };
}

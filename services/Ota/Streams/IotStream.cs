using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Ota.Streams;

/// <summary>A list of files that devices fetch block by block over MQTT ("What is a stream?").</summary>
sealed record IotStream
{
    public static readonly Table<IotStream> Table = new("ota-streams", s => (s.Account, s.Id),
        Index<IotStream>.On("created", s => $"{s.CreatedAt.ToUnixTimeMilliseconds():D15}"));

    public const string NamePattern = "[a-zA-Z0-9_-]+";

    /// <summary>The highest version that there can be, as the model has it.</summary>
    public const int VersionMax = 65_535;

    public required AccountId Account { get; init; }
    public required string Id { get; init; }
    public required int Version { get; init; }
    public string? Description { get; init; }
    public required IReadOnlyList<SourceFile> Files { get; init; }
    public required string RoleArn { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    public static string Arn(string id, Caller caller) => caller.ArnOf("iot", "stream/" + id);

    /// <summary>What the stream's tags are kept under.</summary>
    public static string TagKey(string id) => "iot:stream/" + id;

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public static async ValueTask<Row<IotStream>> Require(IStore store, AccountId account, string id, CancellationToken cancel) =>
        await store.Get(Table, account, id, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no stream '{id}'. ListStreams shows those there are.");
}

/// <summary>A file of a stream, as it was when the stream was made or changed.</summary>
/// <param name="ObjectVersion">The version that was asked for; null for whatever is the latest, which must stay what it was.</param>
/// <param name="ETag">The object's: another one means another content.</param>
sealed record SourceFile(int FileId, string Bucket, string Key, string? ObjectVersion, long Bytes, string ETag);

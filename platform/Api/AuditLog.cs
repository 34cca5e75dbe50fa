using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Althing.Identity;

namespace Althing.Api;

/// <summary>
/// Who changed what: one JSON line for each mutating call, in <c>audit.jsonl</c> of the data folder. Lines are written by one task in the
/// order of the calls and flushed whenever none waits; a call never waits for the disk. At 64 MB the file is renamed and the last four kept.
/// </summary>
public sealed class AuditLog : IAsyncDisposable
{
    const long BytesMax = 64L << 20;
    const int FilesKept = 4;
    static readonly string[] SecretMembers = ["privateKey", "password", "token", "secret", "passwordHash", "SecretAccessKey"];

    readonly Channel<string> lines = Channel.CreateBounded<string>(new BoundedChannelOptions(100_000) { SingleReader = true });
    readonly string path;
    readonly TimeProvider time;
    readonly Task writer;

    public AuditLog(string folder, TimeProvider time)
    {
        path = Path.Combine(folder, "audit.jsonl");
        this.time = time;
        writer = Task.Run(Write);
    }

    /// <summary>Notes one call and how it ended.</summary>
    internal async ValueTask Note(OperationInfo operation, Caller caller, JsonObject request, string? error, RequestOrigin origin)
    {
        JsonObject line = new()
        {
            ["eventTime"] = time.GetUtcNow().ToString("O"),
            ["eventSource"] = operation.Api.Name,
            ["eventName"] = operation.Name,
            ["awsRegion"] = caller.Region,
            ["accountId"] = caller.Account.Value,
            ["principal"] = caller.Arn,
            ["accessKeyId"] = caller.AccessKeyId,
            ["sourceIPAddress"] = origin.Address,
            ["userAgent"] = origin.UserAgent,
            ["requestId"] = origin.RequestId,
            ["errorCode"] = error,
            ["requestParameters"] = Redact(request),
        };
        await lines.Writer.WriteAsync(line.ToJsonString(WireJson.AsDeclared));
    }

    static JsonNode? Redact(JsonNode? node) => node switch
    {
        JsonObject record => new JsonObject(record.Select(m => KeyValuePair.Create(m.Key,
            SecretMembers.Any(s => m.Key.Contains(s, StringComparison.OrdinalIgnoreCase)) ? "***" : Redact(m.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Redact)]),
        _ => node?.DeepClone(),
    };

    async Task Write()
    {
        var file = Open();
        await foreach (var line in lines.Reader.ReadAllAsync())
        {
            try
            {
                await file.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
                if (lines.Reader.Count == 0)
                    await file.FlushAsync();
                if (file.Length > BytesMax)
                    file = await Rotate(file);
            }
            catch (IOException)
            {
                // A full disk must not stop the platform; the next line tries again.
            }
        }
        await file.DisposeAsync();
    }

    FileStream Open()
    {
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new(path, options);
    }

    async Task<FileStream> Rotate(FileStream file)
    {
        await file.DisposeAsync();
        for (var i = FilesKept - 1; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}"))
                File.Move($"{path}.{i}", $"{path}.{i + 1}", overwrite: true);
        }
        File.Move(path, $"{path}.1", overwrite: true);
        return Open();
    }

    public async ValueTask DisposeAsync()
    {
        lines.Writer.TryComplete();
        await writer;
    }
}

/// <summary>Where a call came from, for the audit log.</summary>
sealed record RequestOrigin(string? Address, string? UserAgent, string RequestId);

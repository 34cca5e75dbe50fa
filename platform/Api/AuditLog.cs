using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Althing.Identity;
using Microsoft.Extensions.Logging;

namespace Althing.Api;

/// <summary>
/// Who changed what: one JSON line for each mutating call, in <c>audit.jsonl</c> of the data folder, with the members of a CloudTrail event.
/// </summary>
/// <remarks>
/// One task writes the lines in the order of the calls and hands them to the operating system whenever none waits; a call waits for it only
/// when 100 000 lines are behind. A clean shutdown writes all; a crash of the machine can lose the last moments, a crash of the process
/// those not yet handed over. At 64 MB the file is renamed, and the last four are kept.
/// </remarks>
public sealed partial class AuditLog : IAsyncDisposable
{
    const long BytesMax = 64L << 20;
    const int FilesKept = 4;

    readonly Channel<JsonObject> lines = Channel.CreateBounded<JsonObject>(new BoundedChannelOptions(100_000) { SingleReader = true });
    readonly string path;
    readonly long bytesMax;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly Task writer;
    bool complained;

    public AuditLog(string folder, TimeProvider time, ILogger<AuditLog> log) : this(folder, time, log, BytesMax) { }

    internal AuditLog(string folder, TimeProvider time, ILogger log, long bytesMax)
    {
        path = Path.Combine(folder, "audit.jsonl");
        (this.time, this.log, this.bytesMax) = (time, log, bytesMax);
        writer = Task.Run(Write);
    }

    /// <summary>Notes one call and how it ended.</summary>
    internal async ValueTask Note(OperationInfo operation, Caller caller, JsonObject request, string? error, RequestOrigin origin)
    {
        JsonObject line = new()
        {
            ["eventTime"] = time.GetUtcNow().UtcDateTime.ToString("O"),
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
            ["requestParameters"] = AuditRedaction.Redact(request),
        };
        await lines.Writer.WriteAsync(line);
    }

    async Task Write()
    {
        FileStream? file = null;
        await foreach (var line in lines.Reader.ReadAllAsync())
        {
            try
            {
                file ??= Open();
                await file.WriteAsync(Encoding.UTF8.GetBytes(line.ToJsonString(WireJson.AsDeclared) + "\n"));
                if (lines.Reader.Count == 0)
                    await file.FlushAsync();
                if (file.Position > bytesMax)
                {
                    await file.DisposeAsync();
                    file = null;
                    Rotate();
                }
                complained = false;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // A full disk must not stop the platform; the next line tries again. One complaint, not one a line.
                if (!complained)
                    LogUnwritten(log, failure, path);
                complained = true;
            }
        }
        if (file is not null)
            await file.DisposeAsync();
    }

    FileStream Open()
    {
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new(path, options);
    }

    void Rotate()
    {
        for (var i = FilesKept - 1; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}"))
                File.Move($"{path}.{i}", $"{path}.{i + 1}", overwrite: true);
        }
        File.Move(path, $"{path}.1", overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        lines.Writer.TryComplete();
        await writer;
    }

    [LoggerMessage(1, LogLevel.Error, "The audit log {Path} cannot be written: changes go unrecorded until it can. Make room or mend the rights")]
    static partial void LogUnwritten(ILogger logger, Exception failure, string path);
}

/// <summary>Where a call came from, for the audit log.</summary>
sealed record RequestOrigin(string? Address, string? UserAgent, string RequestId);

/// <summary>Takes out of request parameters what must not be written down, and what is too long to be.</summary>
static class AuditRedaction
{
    const int TextMax = 2048;
    static readonly string[] SecretWords = ["privateKey", "password", "secret", "token", "credential", "signature"];

    /// <summary>Tokens that are no secrets: a client's own names for its calls, and places in a listing.</summary>
    static readonly HashSet<string> Harmless = new(StringComparer.OrdinalIgnoreCase)
    {
        "clientToken", "clientRequestToken", "nextToken", "tokenKeyName", "tokenSigningPublicKeys", "credentialDurationSeconds", "signatureAlgorithm",
    };

    public static JsonNode? Redact(JsonNode? node) => node switch
    {
        JsonObject record => new JsonObject(record.Select(m => KeyValuePair.Create(m.Key, IsSecret(m.Key) ? "***" : Redact(m.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Redact)]),
        // A key where none belongs, such as in certificatePem.
        JsonValue value when value.TryGetValue<string>(out var text) && text.Contains("PRIVATE KEY", StringComparison.Ordinal) => "***",
        JsonValue value when value.TryGetValue<string>(out var text) && text.Length > TextMax => $"{text[..TextMax]}… ({text.Length} characters)",
        _ => node?.DeepClone(),
    };

    static bool IsSecret(string name) => !Harmless.Contains(name) && SecretWords.Any(s => name.Contains(s, StringComparison.OrdinalIgnoreCase));
}

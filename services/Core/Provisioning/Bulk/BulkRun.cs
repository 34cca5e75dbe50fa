using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Core.Provisioning.Templates;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Bulk;

/// <summary>Works through a task, from where it stands to its end. Each line's resources, its result and the progress are one write.</summary>
sealed class BulkRun(IStore store, IObjectFiles files, Provisioner provisioner, TimeProvider clock, AccountId account, string taskId)
{
    static readonly JsonDocumentOptions Strict = new() { MaxDepth = 2, AllowDuplicateProperties = false };

    /// <summary>The task was stopped, or is not in progress any more.</summary>
    sealed class Stopped : Exception;

    public async Task Go(CancellationToken cancel)
    {
        var task = (await RegistrationTask.Require(store, account, taskId, cancel)).Value;
        string? problem = null;
        try
        {
            problem = await Lines(task, cancel);
        }
        catch (Stopped)
        {
            // By StopThingRegistrationTask.
        }
        await Finish(problem, cancel);
    }

    /// <summary>Deals with all lines; answers what keeps the task from going on.</summary>
    async Task<string?> Lines(RegistrationTask task, CancellationToken cancel)
    {
        await using var file = await files.Open(account, task.Bucket, task.ObjectKey, task.Offset, cancel);
        if (file is null || file.ETag != task.ETag)
            return $"The input file s3://{task.Bucket}/{task.ObjectKey} was {(file is null ? "deleted" : "overwritten")}.";
        var text = ProvisioningText.Read(task.TemplateBody, TemplateUse.Registration);
        var caller = new Caller { Account = account, Arn = task.RoleArn, UserId = task.Id, Kind = CallerKind.AssumedRole, Region = task.Region };
        var reader = new LineReader(file.Content, task.Offset);
        for (var number = task.Lines + 1; await reader.Read(cancel) is var (line, start, next); number++)
        {
            if (line is { } bytes && bytes.AsSpan().IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            await One(text, caller, new(number, start, next), line, cancel);
        }
        return null;
    }

    /// <param name="Number">Counted from 1.</param>
    /// <param name="Next">Where the next line begins.</param>
    sealed record Place(int Number, long Start, long Next);

    async Task One(ProvisioningText text, Caller caller, Place place, byte[]? line, CancellationToken cancel)
    {
        try
        {
            var plan = ProvisioningPlan.Of(text, Parameters(line));
            Row<RegistrationTask> row = default;
            await provisioner.Provision(caller, plan, async () =>
            {
                row = await Current(cancel);
                return new();
            }, (batch, made) => Note(batch, row, place, RegistrationLine.Results, new()
            {
                ["lineNumber"] = place.Number,
                ["offset"] = place.Start,
                ["response"] = new JsonObject
                {
                    ["CertificatePem"] = made.CertificatePem,
                    ["ResourceArns"] = JsonSerializer.SerializeToNode(made.ResourceArns),
                },
            }), cancel);
        }
        catch (TemplateFault fault)
        {
            await Fail(place, "InvalidRequestException", fault.Message, cancel);
        }
        catch (ServiceException refusal)
        {
            await Fail(place, refusal.Code, refusal.Message, cancel);
        }
    }

    async Task Fail(Place place, string code, string message, CancellationToken cancel)
    {
        while (true)
        {
            var row = await Current(cancel);
            var batch = new Batch();
            Note(batch, row, place, RegistrationLine.Errors, new()
            {
                ["lineNumber"] = place.Number, ["offset"] = place.Start, ["errorCode"] = code, ["errorMessage"] = message,
            });
            try
            {
                await store.Commit(batch, cancel);
                return;
            }
            catch (StorageConflictException)
            {
                // The task was stopped at this very moment.
            }
        }
    }

    void Note(Batch batch, Row<RegistrationTask> row, Place place, string report, JsonObject said)
    {
        var failed = report == RegistrationLine.Errors;
        batch.Replace(RegistrationTask.Table, row, row.Value with
        {
            Offset = place.Next,
            Lines = place.Number,
            Successes = row.Value.Successes + (failed ? 0 : 1),
            Failures = row.Value.Failures + (failed ? 1 : 0),
            LastModifiedAt = clock.GetUtcNow(),
        });
        batch.Add(RegistrationLine.Table, new() { Account = account, TaskId = taskId, Report = report, Line = place.Number, Json = said.ToJsonString() });
    }

    async ValueTask<Row<RegistrationTask>> Current(CancellationToken cancel)
    {
        var row = await RegistrationTask.Require(store, account, taskId, cancel);
        return row.Value.Status == RegistrationTask.InProgress ? row : throw new Stopped();
    }

    static Dictionary<string, string> Parameters(byte[]? line)
    {
        if (line is null)
            throw new TemplateFault($"The line is longer than {LineReader.LineBytesMax} bytes.");
        try
        {
            Dictionary<string, string> parameters = new(StringComparer.Ordinal);
            foreach (var (name, value) in JsonNode.Parse(line, documentOptions: Strict) as JsonObject ?? throw new TemplateFault("The line is no JSON object."))
            {
                parameters[name] = value is JsonValue text && text.GetValueKind() == JsonValueKind.String
                    ? text.GetValue<string>()
                    : throw new TemplateFault($"The parameter '{name}' is no text.");
            }
            return parameters;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new TemplateFault("The line is not well-formed JSON.");
        }
    }

    /// <summary>Writes the reports, and then says that the task is over.</summary>
    async Task Finish(string? problem, CancellationToken cancel)
    {
        var task = (await RegistrationTask.Require(store, account, taskId, cancel)).Value;
        if (task.IsOver)
            return;
        foreach (var report in new[] { RegistrationLine.Results, RegistrationLine.Errors })
            problem ??= await Report(task, report, cancel);
        while (true)
        {
            var row = await RegistrationTask.Require(store, account, taskId, cancel);
            var over = row.Value with
            {
                Status = row.Value.Status == RegistrationTask.Cancelling ? RegistrationTask.Cancelled : problem is null ? RegistrationTask.Completed : RegistrationTask.Failed,
                Message = problem,
                LastModifiedAt = clock.GetUtcNow(),
            };
            try
            {
                await store.Commit(new Batch().Replace(RegistrationTask.Table, row, over), cancel);
                break;
            }
            catch (StorageConflictException)
            {
                // It was stopped after its last line.
            }
        }
        await Forget(cancel);
    }

    async Task<string?> Report(RegistrationTask task, string report, CancellationToken cancel)
    {
        await using var text = new FileStream(Path.GetTempFileName(), new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
        });
        await foreach (var line in Kept(Key.Prefix(taskId, report), cancel))
        {
            await text.WriteAsync(System.Text.Encoding.UTF8.GetBytes(line.Value.Json), cancel);
            text.WriteByte((byte)'\n');
        }
        text.Position = 0;
        try
        {
            await files.Write(account, task.Bucket, task.ReportKey(report), text, "application/json", cancel);
            return null;
        }
        catch (ServiceException refusal)
        {
            return $"The report could not be written: {refusal.Message}";
        }
    }

    async Task Forget(CancellationToken cancel)
    {
        await foreach (var line in Kept(Key.Prefix(taskId), cancel))
            await store.Commit(new Batch().Delete(RegistrationLine.Table, account, line.Key), cancel);
    }

    async IAsyncEnumerable<Row<RegistrationLine>> Kept(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        const int page = 500;
        string? after = null;
        while (true)
        {
            var rows = await store.Scan(RegistrationLine.Table, account, Scan.Under(prefix) with { After = after, Limit = page }, cancel);
            foreach (var row in rows)
                yield return row;
            if (rows.Count < page)
                yield break;
            after = rows[^1].Cursor;
        }
    }
}

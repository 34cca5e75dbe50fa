using System.Security.Cryptography;
using System.Text.Json;
using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Executions;
using Althing.Jobs.Rollout;
using Althing.Jobs.Templates;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>Creates a job. Its executions are made behind the answer.</summary>
/// <remarks>The same request once more answers the same; another one of the same id is refused.</remarks>
[Operation<Iot>("PUT /jobs/{jobId}")]
sealed class CreateJob(
    IStore store, JobStore jobs, TemplateStore templates, DocumentTexts documents, IRegistry registry, TagStore tags, JobWorker worker, JobLimits limits,
    TimeProvider clock)
    : Operation<CreateJobRequest, CreateJobResponse>
{
    protected override Permission Needs(CreateJobRequest request, Caller caller)
    {
        string[] template = request.JobTemplateArn is { } arn ? [arn] : [];
        return new("iot:CreateJob", [JobArn.Of(request.JobId, caller), .. request.Targets, .. template])
        {
            And = DocumentTexts.NeedsFor(request.PresignedUrlConfig, request.DocumentSource),
        };
    }

    protected override void Check(CreateJobRequest request)
    {
        if (request is { Document: not null, DocumentSource: not null } or { JobTemplateArn: null, Document: null, DocumentSource: null })
            throw Refuse.InvalidRequest("Give either 'document' or 'documentSource', or a template.");
        if (request is { JobTemplateArn: null, DocumentParameters: not null })
            throw Refuse.InvalidRequest("'documentParameters' belong to the document of a job template: give 'jobTemplateArn'.");
        if (request.Targets.Distinct(StringComparer.Ordinal).Count() > limits.TargetsMax)
            throw Refuse.LimitExceeded($"A job has at most {limits.TargetsMax} targets; this one would have {request.Targets.Count}. Put things into a group.");
    }

    protected override async ValueTask<CreateJobResponse> Run(CreateJobRequest request, Caller caller, CancellationToken cancel)
    {
        var fingerprint = FingerprintOf(request);
        if (await jobs.Find(caller.Account, request.JobId, cancel) is { Value: var there })
            return Same(there, fingerprint, caller);
        var blueprint = request.JobTemplateArn is { } arn ? await templates.Resolve(arn, caller, cancel) : null;
        var given = request;
        request = blueprint is null ? given : Under(given, blueprint.Template);
        JobConfigs.CheckServed(limits, request.TimeoutConfig, request.JobExecutionsRolloutConfig, request.AbortConfig, request.JobExecutionsRetryConfig, request.SchedulingConfig);
        var document = await DocumentFor(given, blueprint, caller, cancel);
        documents.Check(document.Text, request.PresignedUrlConfig);
        await documents.CheckRole(caller.Account, request.PresignedUrlConfig, cancel);
        var targets = await TargetReader.Read(registry, request.Targets, caller, cancel);
        if (request.TargetSelection == "CONTINUOUS")
            await CheckContinuous(caller, cancel);
        var job = Make(request, caller, targets, fingerprint);
        var batch = new Batch()
            .Add(Job.Table, job)
            .Put(JobDocument.Table, document)
            .Put(JobWork.Table, new() { Account = job.Account, JobId = job.Id, Kind = JobWorkKind.Unroll, Targets = targets });
        await tags.AddTags(batch, caller.Account, Job.TagKey(job.Id), request.Tags, cancel);
        await store.Commit(batch, cancel);
        worker.Wake();
        return new() { JobArn = JobArn.Of(job.Id, caller), JobId = job.Id, Description = job.Description };
    }

    static CreateJobResponse Same(Job there, string fingerprint, Caller caller)
    {
        var arn = JobArn.Of(there.Id, caller);
        return there.Fingerprint == fingerprint && there.Status != JobStatus.DELETION_IN_PROGRESS
            ? new() { JobArn = arn, JobId = there.Id, Description = there.Description }
            : throw Refuse.ResourceAlreadyExists($"There is a job '{there.Id}' already, and it is another one: {there.Status}. Give this one another id.", there.Id, arn);
    }

    /// <summary>The request with what it leaves to the template.</summary>
    static CreateJobRequest Under(CreateJobRequest request, JobTemplate template) => request with
    {
        Description = request.Description ?? template.Description,
        DocumentSource = request.Document is null ? request.DocumentSource ?? template.DocumentSource : null,
        PresignedUrlConfig = request.PresignedUrlConfig ?? template.PresignedUrlConfig,
        JobExecutionsRolloutConfig = request.JobExecutionsRolloutConfig ?? template.JobExecutionsRolloutConfig,
        AbortConfig = request.AbortConfig ?? template.AbortConfig,
        TimeoutConfig = request.TimeoutConfig ?? template.TimeoutConfig,
        JobExecutionsRetryConfig = request.JobExecutionsRetryConfig ?? template.JobExecutionsRetryConfig,
        SchedulingConfig = template.MaintenanceWindows is { } windows && request.SchedulingConfig?.MaintenanceWindows is null
            ? (request.SchedulingConfig ?? new()) with { MaintenanceWindows = windows }
            : request.SchedulingConfig,
        DestinationPackageVersions = request.DestinationPackageVersions ?? template.DestinationPackageVersions,
    };

    /// <summary>A document that is given stands for the template's, which then asks for nothing.</summary>
    async ValueTask<JobDocument> DocumentFor(CreateJobRequest given, Blueprint? blueprint, Caller caller, CancellationToken cancel)
    {
        var own = given.Document ?? (given.DocumentSource is { } source ? await documents.Fetch(caller.Account, source, cancel) : null);
        var text = own ?? blueprint!.Template.Document;
        var parameters = own is null ? blueprint!.Parameters : [];
        var filled = parameters.Count > 0 || given.DocumentParameters is { Count: > 0 }
            ? ParameterValues.Fill(text, parameters, given.DocumentParameters ?? new Dictionary<string, string>())
            : text;
        return new() { Account = caller.Account, JobId = given.JobId, Text = filled, Template = parameters.Count > 0 ? text : null };
    }

    async ValueTask CheckContinuous(Caller caller, CancellationToken cancel)
    {
        if (await store.Count(Job.Table, caller.Account, Scan.By("continuous", ""), cancel) >= limits.ActiveContinuousMax)
            throw Refuse.LimitExceeded($"{limits.ActiveContinuousMax} continuous jobs are active, as many as may be. Cancel one first.");
    }

    Job Make(CreateJobRequest request, Caller caller, IReadOnlyList<JobTarget> targets, string fingerprint)
    {
        var now = clock.GetUtcNow();
        return new()
        {
            Account = caller.Account,
            Id = request.JobId,
            Uid = Guid.NewGuid().ToString("N"),
            Region = caller.Region,
            Targets = targets,
            Status = JobStatus.IN_PROGRESS,
            IsContinuous = request.TargetSelection == "CONTINUOUS",
            CreatedAt = now,
            LastUpdatedAt = now,
            Description = request.Description,
            NamespaceId = request.NamespaceId,
            DocumentSource = request.DocumentSource,
            PresignedUrlConfig = request.PresignedUrlConfig,
            TimeoutConfig = request.TimeoutConfig,
            JobExecutionsRolloutConfig = request.JobExecutionsRolloutConfig,
            AbortConfig = request.AbortConfig,
            JobExecutionsRetryConfig = request.JobExecutionsRetryConfig,
            SchedulingConfig = request.SchedulingConfig,
            JobTemplateArn = request.JobTemplateArn,
            DocumentParameters = request.DocumentParameters,
            DestinationPackageVersions = request.DestinationPackageVersions,
            IsConcurrent = true,
            Fingerprint = fingerprint,
        };
    }

    static string FingerprintOf(CreateJobRequest request) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request, WireJson.CamelCase)));
}

sealed record CreateJobRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Length(1), Each(LengthMax = 2048)]
    public required IReadOnlyList<string> Targets { get; init; }
    [Length(1, 1350)]
    public string? DocumentSource { get; init; }
    [Length(0, 32768)]
    public string? Document { get; init; }
    [Length(0, 2028), Pattern(JobArn.TextPattern)]
    public string? Description { get; init; }
    public PresignedUrlConfig? PresignedUrlConfig { get; init; }
    [OneOf("CONTINUOUS", "SNAPSHOT")]
    public string? TargetSelection { get; init; }
    public JobExecutionsRolloutConfig? JobExecutionsRolloutConfig { get; init; }
    public AbortConfig? AbortConfig { get; init; }
    public TimeoutConfig? TimeoutConfig { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
    [Pattern(JobArn.IdPattern)]
    public string? NamespaceId { get; init; }
    [Length(1, 1600), Pattern("^arn:[!-~]+$")]
    public string? JobTemplateArn { get; init; }
    public JobExecutionsRetryConfig? JobExecutionsRetryConfig { get; init; }
    [Each(KeyLengthMin = 1, KeyLengthMax = 128, KeyPattern = JobArn.IdPattern, LengthMin = 1, LengthMax = 30720, Pattern = JobArn.TextPattern)]
    public IReadOnlyDictionary<string, string>? DocumentParameters { get; init; }
    public SchedulingConfig? SchedulingConfig { get; init; }
    [Each(LengthMin = 1, LengthMax = 1600, Pattern = "^arn:[!-~]+$")]
    public IReadOnlyList<string>? DestinationPackageVersions { get; init; }
}

sealed record CreateJobResponse
{
    public string? JobArn { get; init; }
    public string? JobId { get; init; }
    public string? Description { get; init; }
}

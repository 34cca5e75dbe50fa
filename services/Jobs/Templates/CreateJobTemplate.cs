using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Control;
using Althing.Storage;

namespace Althing.Jobs.Templates;

/// <summary>Keeps a document, or all that a job had, to make further jobs of it.</summary>
[Operation<Iot>("PUT /job-templates/{jobTemplateId}")]
sealed class CreateJobTemplate(
    IStore store, JobStore jobs, TemplateStore templates, DocumentTexts documents, TagStore tags, JobLimits limits, TimeProvider clock)
    : Operation<CreateJobTemplateRequest, CreateJobTemplateResponse>
{
    protected override Permission Needs(CreateJobTemplateRequest request, Caller caller)
    {
        var template = TemplateStore.ArnOf(request.JobTemplateId, caller);
        return new("iot:CreateJobTemplate", request.JobArn is { } job ? [template, job] : [template])
        {
            And = DocumentTexts.NeedsFor(request.PresignedUrlConfig, request.DocumentSource),
        };
    }

    protected override void Check(CreateJobTemplateRequest request)
    {
        if (new[] { request.Document, request.DocumentSource, request.JobArn }.Count(g => g is not null) != 1)
            throw Refuse.InvalidRequest("Give one of 'document', 'documentSource' and 'jobArn'.");
        JobConfigs.Check(
            limits, request.TimeoutConfig, request.JobExecutionsRolloutConfig, request.AbortConfig, request.JobExecutionsRetryConfig, request.MaintenanceWindows);
    }

    protected override async ValueTask<CreateJobTemplateResponse> Run(CreateJobTemplateRequest request, Caller caller, CancellationToken cancel)
    {
        if (await templates.Find(caller.Account, request.JobTemplateId, cancel) is not null)
            throw Exists(request.JobTemplateId);
        await documents.CheckRole(caller.Account, request.PresignedUrlConfig, cancel);
        var job = request.JobArn is { } arn ? (await jobs.Require(caller.Account, JobArn.IdOf(arn, caller), cancel)).Value : null;
        var text = request.Document ?? (job is null ? await documents.Fetch(caller.Account, request.DocumentSource!, cancel) : await jobs.DocumentOf(job.Account, job.Id, cancel));
        var template = Make(request, caller, job, text);
        documents.Check(text, template.PresignedUrlConfig);
        var batch = new Batch().Add(JobTemplate.Table, template);
        await tags.AddTags(batch, caller.Account, JobTemplate.TagKey(template.Id), request.Tags, cancel);
        try
        {
            await store.Commit(batch, cancel);
        }
        catch (StorageConflictException) when (!cancel.IsCancellationRequested)
        {
            throw Exists(request.JobTemplateId);
        }
        return new() { JobTemplateArn = TemplateStore.ArnOf(template.Id, caller), JobTemplateId = template.Id };
    }

    static ServiceException Exists(string id) => Refuse.Conflict($"There is a job template '{id}' already. Give this one another id.", id);

    JobTemplate Make(CreateJobTemplateRequest request, Caller caller, Job? job, string text) => new()
    {
        Account = caller.Account,
        Id = request.JobTemplateId,
        Description = request.Description,
        CreatedAt = clock.GetUtcNow(),
        Document = text,
        DocumentSource = request.DocumentSource ?? job?.DocumentSource,
        PresignedUrlConfig = request.PresignedUrlConfig ?? job?.PresignedUrlConfig,
        JobExecutionsRolloutConfig = request.JobExecutionsRolloutConfig ?? job?.JobExecutionsRolloutConfig,
        AbortConfig = request.AbortConfig ?? job?.AbortConfig,
        TimeoutConfig = request.TimeoutConfig ?? job?.TimeoutConfig,
        JobExecutionsRetryConfig = request.JobExecutionsRetryConfig ?? job?.JobExecutionsRetryConfig,
        MaintenanceWindows = request.MaintenanceWindows ?? job?.SchedulingConfig?.MaintenanceWindows,
        DestinationPackageVersions = request.DestinationPackageVersions ?? job?.DestinationPackageVersions,
    };
}

sealed record CreateJobTemplateRequest
{
    [Label, Length(1, 64), Pattern(Control.JobArn.IdPattern)]
    public required string JobTemplateId { get; init; }
    public string? JobArn { get; init; }
    [Length(1, 1350)]
    public string? DocumentSource { get; init; }
    [Length(0, 32768)]
    public string? Document { get; init; }
    [Length(0, 2028), Pattern(Control.JobArn.TextPattern)]
    public required string Description { get; init; }
    public PresignedUrlConfig? PresignedUrlConfig { get; init; }
    public JobExecutionsRolloutConfig? JobExecutionsRolloutConfig { get; init; }
    public AbortConfig? AbortConfig { get; init; }
    public TimeoutConfig? TimeoutConfig { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
    public JobExecutionsRetryConfig? JobExecutionsRetryConfig { get; init; }
    public IReadOnlyList<MaintenanceWindow>? MaintenanceWindows { get; init; }
    [Each(LengthMin = 1, LengthMax = 1600, Pattern = "^arn:[!-~]+$")]
    public IReadOnlyList<string>? DestinationPackageVersions { get; init; }
}

sealed record CreateJobTemplateResponse
{
    public string? JobTemplateArn { get; init; }
    public string? JobTemplateId { get; init; }
}

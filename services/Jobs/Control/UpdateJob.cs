using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>Changes what a job that is not over says; executions in progress keep the timers they have.</summary>
[Operation<Iot>("PATCH /jobs/{jobId}")]
sealed class UpdateJob(IStore store, JobStore jobs, DocumentTexts documents, JobLimits limits, TimeProvider clock) : Operation<UpdateJobRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateJobRequest request, Caller caller) => new("iot:UpdateJob", JobArn.Of(request.JobId, caller))
    {
        And = request.PresignedUrlConfig?.RoleArn is { } role ? new("iam:PassRole", role) : null,
    };

    protected override void Check(UpdateJobRequest request) =>
        JobConfigs.CheckServed(limits, request.TimeoutConfig, request.JobExecutionsRolloutConfig, request.AbortConfig, request.JobExecutionsRetryConfig);

    protected override async ValueTask<EmptyResponse> Run(UpdateJobRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await jobs.Require(caller.Account, request.JobId, cancel);
        JobConfigs.CheckNamespace(row.Value, request.NamespaceId);
        if (!row.Value.IsActive)
            throw Refuse.InvalidRequest($"The job '{request.JobId}' is {row.Value.Status}: only a job that is not over can be changed.");
        await documents.CheckRole(caller.Account, request.PresignedUrlConfig, cancel);
        var job = row.Value with
        {
            Description = request.Description ?? row.Value.Description,
            PresignedUrlConfig = request.PresignedUrlConfig ?? row.Value.PresignedUrlConfig,
            TimeoutConfig = request.TimeoutConfig ?? row.Value.TimeoutConfig,
            LastUpdatedAt = clock.GetUtcNow(),
        };
        // A document with placeholders must keep its role.
        documents.Check(await jobs.DocumentOf(caller.Account, job.Id, cancel), job.PresignedUrlConfig);
        await store.Commit(new Batch().Replace(Job.Table, row, job), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateJobRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Length(0, 2028), Pattern(JobArn.TextPattern)]
    public string? Description { get; init; }
    public PresignedUrlConfig? PresignedUrlConfig { get; init; }
    public JobExecutionsRolloutConfig? JobExecutionsRolloutConfig { get; init; }
    public AbortConfig? AbortConfig { get; init; }
    public TimeoutConfig? TimeoutConfig { get; init; }
    [Query, Pattern(JobArn.IdPattern)]
    public string? NamespaceId { get; init; }
    public JobExecutionsRetryConfig? JobExecutionsRetryConfig { get; init; }
}

using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Executions;
using Althing.Jobs.Rollout;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>Deletes a job that is over, or with <c>force</c> any, with all its executions, behind the answer.</summary>
[Operation<Iot>("DELETE /jobs/{jobId}")]
sealed class DeleteJob(IStore store, JobStore jobs, JobEvents events, JobWorker worker, JobLimits limits, TimeProvider clock) : Operation<DeleteJobRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteJobRequest request, Caller caller) => new("iot:DeleteJob", JobArn.Of(request.JobId, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteJobRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await jobs.Require(caller.Account, request.JobId, cancel);
        JobConfigs.CheckNamespace(row.Value, request.NamespaceId);
        if (row.Value.Status == JobStatus.DELETION_IN_PROGRESS)
            throw Refuse.InvalidStateTransition($"The job '{request.JobId}' is being deleted already.");
        if (row.Value.IsActive && request.Force is not true)
            throw Refuse.InvalidStateTransition($"The job '{request.JobId}' is {row.Value.Status}: cancel it first, or delete it with 'force'.");
        var deleting = new Scan { Index = "status", Prefix = Key.Prefix(JobStatus.DELETION_IN_PROGRESS.ToString()) };
        if (await store.Count(Job.Table, caller.Account, deleting, cancel) >= limits.DeletionsMax)
            throw Refuse.LimitExceeded($"{limits.DeletionsMax} jobs are being deleted, as many as may be at a time. Wait for one.");
        var job = row.Value with { Status = JobStatus.DELETION_IN_PROGRESS, LastUpdatedAt = clock.GetUtcNow(), IsConcurrent = true };
        var work = new JobWork { Account = job.Account, JobId = job.Id, Kind = JobWorkKind.Delete };
        await store.Commit(new Batch().Replace(Job.Table, row, job).Put(JobWork.Table, work), cancel);
        events.DeletionBegins(job);
        worker.Wake();
        return EmptyResponse.Instance;
    }
}

sealed record DeleteJobRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Query]
    public bool? Force { get; init; }
    [Query, Pattern(JobArn.IdPattern)]
    public string? NamespaceId { get; init; }
}

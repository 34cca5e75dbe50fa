using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Executions;
using Althing.Jobs.Rollout;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>Calls a job off: no execution is made any more, and those that wait are cancelled behind the answer; with <c>force</c> those in progress too.</summary>
[Operation<Iot>("PUT /jobs/{jobId}/cancel")]
sealed class CancelJob(IStore store, JobStore jobs, JobEvents events, JobWorker worker, TimeProvider clock) : Operation<CancelJobRequest, CancelJobResponse>
{
    protected override Permission Needs(CancelJobRequest request, Caller caller) => new("iot:CancelJob", JobArn.Of(request.JobId, caller));

    protected override async ValueTask<CancelJobResponse> Run(CancelJobRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await jobs.Require(caller.Account, request.JobId, cancel);
        var (job, force) = (row.Value, request.Force is true);
        // Cancelled once, a job can still be cancelled by force.
        if (!job.IsActive && job is not { Status: JobStatus.CANCELED, ForceCanceled: false })
            throw Refuse.InvalidRequest($"The job '{job.Id}' is {job.Status} and cannot be cancelled.");
        if (job.IsActive || force)
        {
            job = job with
            {
                Status = JobStatus.CANCELED,
                ForceCanceled = force,
                ReasonCode = request.ReasonCode,
                Comment = request.Comment,
                LastUpdatedAt = clock.GetUtcNow(),
                CompletedAt = null,
                IsConcurrent = true,
            };
            var work = new JobWork { Account = job.Account, JobId = job.Id, Kind = JobWorkKind.Cancel, Force = force };
            await store.Commit(new Batch().Replace(Job.Table, row, job).Put(JobWork.Table, work), cancel);
            events.CancellationBegins(job);
            worker.Wake();
        }
        return new() { JobArn = JobArn.Of(job.Id, caller), JobId = job.Id, Description = job.Description };
    }
}

sealed record CancelJobRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Length(0, 128), Pattern(@"[\p{Upper}\p{Digit}_]+")]
    public string? ReasonCode { get; init; }
    [Length(0, 2028), Pattern(JobArn.TextPattern)]
    public string? Comment { get; init; }
    [Query]
    public bool? Force { get; init; }
}

sealed record CancelJobResponse
{
    public string? JobArn { get; init; }
    public string? JobId { get; init; }
    public string? Description { get; init; }
}

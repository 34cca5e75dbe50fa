using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Rollout;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>Adds targets to a continuous job; those it has already do not matter.</summary>
[Operation<Iot>("POST /jobs/{jobId}/targets")]
sealed class AssociateTargetsWithJob(IStore store, JobStore jobs, IRegistry registry, JobWorker worker, JobLimits limits, TimeProvider clock)
    : Operation<AssociateTargetsWithJobRequest, AssociateTargetsWithJobResponse>
{
    protected override Permission Needs(AssociateTargetsWithJobRequest request, Caller caller) =>
        new("iot:AssociateTargetsWithJob", [JobArn.Of(request.JobId, caller), .. request.Targets]);

    protected override async ValueTask<AssociateTargetsWithJobResponse> Run(AssociateTargetsWithJobRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await jobs.Require(caller.Account, request.JobId, cancel);
        var job = row.Value;
        JobConfigs.CheckNamespace(job, request.NamespaceId);
        if (job is not { IsContinuous: true, Status: JobStatus.IN_PROGRESS })
            throw Refuse.InvalidRequest($"The job '{job.Id}' is {(job.IsContinuous ? job.Status : "a snapshot")}: only a continuous job in progress takes further targets.");
        var added = (await TargetReader.Read(registry, request.Targets, caller, cancel)).Except(job.Targets).ToList();
        if (job.Targets.Count + added.Count > limits.TargetsMax)
            throw Refuse.LimitExceeded($"A job has at most {limits.TargetsMax} targets; '{job.Id}' would have {job.Targets.Count + added.Count}.");
        if (added.Count > 0)
        {
            job = job with { Targets = [.. job.Targets, .. added], LastUpdatedAt = clock.GetUtcNow(), IsConcurrent = true, Comment = request.Comment ?? job.Comment };
            var work = await store.Get(JobWork.Table, caller.Account, job.Id, cancel);
            var more = new JobWork { Account = job.Account, JobId = job.Id, Kind = JobWorkKind.Unroll, Targets = [.. work?.Value.Targets ?? [], .. added] };
            var batch = new Batch().Replace(Job.Table, row, job);
            await store.Commit(work is { } there ? batch.Replace(JobWork.Table, there, more) : batch.Add(JobWork.Table, more), cancel);
            worker.Wake();
        }
        return new() { JobArn = JobArn.Of(job.Id, caller), JobId = job.Id, Description = job.Description };
    }
}

sealed record AssociateTargetsWithJobRequest
{
    [Length(1), Each(LengthMax = 2048)]
    public required IReadOnlyList<string> Targets { get; init; }
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Length(0, 2028), Pattern(JobArn.TextPattern)]
    public string? Comment { get; init; }
    [Query, Pattern(JobArn.IdPattern)]
    public string? NamespaceId { get; init; }
}

sealed record AssociateTargetsWithJobResponse
{
    public string? JobArn { get; init; }
    public string? JobId { get; init; }
    public string? Description { get; init; }
}

using Althing.Core;

namespace Althing.Jobs.Executions;

/// <summary>Tells whoever manages a fleet of jobs and executions that came to an end ("Jobs events").</summary>
sealed class JobEvents(IEventMessages messages, JobStore jobs, TimeProvider clock)
{
    const string JobType = "JOB";
    const string ExecutionType = "JOB_EXECUTION";

    /// <summary>An execution came to an end, or was deleted.</summary>
    public void Tell(ExecutionChange change)
    {
        var (before, after) = (change.Before?.Value, change.After);
        if (after is null)
            Tell(change.Job, before!, "deleted", "DELETED");
        else if (!after.IsPending && before is not { IsPending: false })
            Tell(change.Job, after, after.Status.ToString().ToLowerInvariant(), after.Status.ToString());
    }

    void Tell(Job job, JobExecution execution, string operation, string status) => messages.Tell(job.Account, ExecutionType, $"jobExecution/{job.Id}/{operation}", new
    {
        eventType = "JOB_EXECUTION",
        eventId = Guid.NewGuid().ToString(),
        timestamp = clock.GetUtcNow().ToUnixTimeSeconds(),
        operation,
        jobId = job.Id,
        thingArn = $"arn:aws:iot:{job.Region}:{job.Account}:thing/{execution.ThingName}",
        status,
        statusDetails = execution.StatusDetails,
    });

    public void CancellationBegins(Job job) => Tell(job, "cancellation_in_progress", "CANCELLATION_IN_PROGRESS");

    public void Canceled(Job job) => Tell(job, "canceled", "CANCELED");

    public void DeletionBegins(Job job) => Tell(job, "deletion_in_progress", "DELETION_IN_PROGRESS");

    public void Deleted(Job job) => Tell(job, "deleted", "DELETED");

    public async ValueTask Completed(Job job, CancellationToken cancel)
    {
        var tally = await jobs.TallyOf(job.Account, job.Id, cancel);
        Tell(job, "completed", "COMPLETED", new
        {
            numberOfCanceledThings = tally[ExecutionStatus.CANCELED],
            numberOfRejectedThings = tally[ExecutionStatus.REJECTED],
            numberOfFailedThings = tally[ExecutionStatus.FAILED],
            numberOfRemovedThings = tally[ExecutionStatus.REMOVED],
            numberOfSucceededThings = tally[ExecutionStatus.SUCCEEDED],
            numberOfTimedOutThings = tally[ExecutionStatus.TIMED_OUT],
        });
    }

    void Tell(Job job, string operation, string status, object? details = null) => messages.Tell(job.Account, JobType, $"job/{job.Id}/{operation}", new
    {
        eventType = "JOB",
        eventId = Guid.NewGuid().ToString(),
        timestamp = clock.GetUtcNow().ToUnixTimeSeconds(),
        operation,
        jobId = job.Id,
        status,
        targetSelection = job.IsContinuous ? "CONTINUOUS" : "SNAPSHOT",
        targets = job.Targets.Select(t => t.ArnIn(job)),
        description = job.Description,
        completedAt = job.CompletedAt?.ToUnixTimeMilliseconds(),
        createdAt = job.CreatedAt.ToUnixTimeMilliseconds(),
        lastUpdatedAt = job.LastUpdatedAt.ToUnixTimeMilliseconds(),
        comment = job.Comment,
        jobProcessDetails = details,
    });
}

using Althing.Api;
using Althing.Core;
using Althing.Storage;

namespace Althing.Jobs;

/// <summary>What several operations ask about jobs.</summary>
sealed class JobStore(IStore store)
{
    public ValueTask<Row<Job>?> Find(AccountId account, string id, CancellationToken cancel) => store.Get(Job.Table, account, id, cancel);

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<Job>> Require(AccountId account, string id, CancellationToken cancel) =>
        await Find(account, id, cancel) ?? throw NotFound(id);

    public static ServiceException NotFound(string id) => Refuse.ResourceNotFound($"There is no job '{id}'. ListJobs shows those there are.");

    /// <param name="asTemplate">Before values were put in for the template's parameters.</param>
    public async ValueTask<string> DocumentOf(AccountId account, string id, CancellationToken cancel, bool asTemplate = false)
    {
        var document = (await store.Get(JobDocument.Table, account, id, cancel))?.Value ?? throw NotFound(id);
        return asTemplate ? document.Template ?? document.Text : document.Text;
    }

    /// <summary>The latest execution of a job on a thing, or the one of this number.</summary>
    public async ValueTask<Row<JobExecution>?> FindExecution(AccountId account, string thing, string job, long? number, CancellationToken cancel)
    {
        if (number is { } one)
            return one is < 1 or > 9_999_999_999 ? null : await store.Get(JobExecution.Table, account, JobExecution.KeyOf(thing, job, one), cancel);
        var latest = await store.Scan(JobExecution.Table, account, Scan.Under(Key.Prefix(thing, job)) with { Descending = true, Limit = 1 }, cancel);
        return latest is [var row] ? row : null;
    }

    /// <summary>How many executions of a job are in which state.</summary>
    public async ValueTask<Tally> TallyOf(AccountId account, string job, CancellationToken cancel)
    {
        var counts = new long[Enum.GetValues<ExecutionStatus>().Length];
        foreach (var row in await store.Scan(JobTally.Table, account, Scan.Under(Key.Prefix(job)), cancel))
        {
            foreach (var (status, count) in row.Value.Counts)
                counts[(int)status] += count;
        }
        return new(counts);
    }

    /// <summary>For <see cref="TaggedKind"/>.</summary>
    public async ValueTask<string?> TagsOf(Batch batch, AccountId account, string id, CancellationToken cancel)
    {
        if (await Find(account, id, cancel) is not { } row)
            return null;
        batch.Require(Job.Table, row);
        return Job.TagKey(id);
    }
}

/// <summary>Executions of a job, counted by state. A thing counts once, with its latest execution.</summary>
readonly record struct Tally(IReadOnlyList<long> Counts)
{
    public long this[ExecutionStatus status] => Counts[(int)status];

    public long Pending => this[ExecutionStatus.QUEUED] + this[ExecutionStatus.IN_PROGRESS];
}

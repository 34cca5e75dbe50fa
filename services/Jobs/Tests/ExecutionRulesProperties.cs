using Althing.Jobs;
using Althing.Jobs.Executions;
using CsCheck;

namespace Althing.Tests.Jobs;

/// <summary>Whatever happens to an execution, in whatever order.</summary>
public sealed class ExecutionRulesProperties
{
    static readonly DateTimeOffset Start = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    static readonly Job Job = new()
    {
        Account = new("123456789012"), Id = "j", Uid = "u", Region = "eu-west-1", Targets = [], Status = JobStatus.IN_PROGRESS, IsContinuous = false, CreatedAt = Start,
        LastUpdatedAt = Start, IsConcurrent = false, Fingerprint = "", TimeoutConfig = new() { InProgressTimeoutInMinutes = 30 },
    };

    static readonly Gen<Func<JobExecution, DateTimeOffset, JobExecution>> Events = Gen.OneOf<Func<JobExecution, DateTimeOffset, JobExecution>>(
        Gen.Select(Gen.Long[0, 60].Select(n => n == 0 ? (long?)null : n), s => (Func<JobExecution, DateTimeOffset, JobExecution>)((e, t) => e.IsPending ? ExecutionRules.Start(e, Job, null, s, t) : e)),
        Gen.Select(Gen.Enum<ExecutionStatus>(), Gen.Long[0, 60].Select(n => n == 0 ? (long?)null : n), Gen.Long[0, 5].Select(n => n == 0 ? (long?)null : n), (status, step, version) =>
            (Func<JobExecution, DateTimeOffset, JobExecution>)((e, t) => ExecutionRules.Report(e, Job, new(status, null, step, version), t))),
        Gen.Select(Gen.Bool, force => (Func<JobExecution, DateTimeOffset, JobExecution>)((e, t) => ExecutionRules.Cancel(e, new(force), t))),
        Gen.Const<Func<JobExecution, DateTimeOffset, JobExecution>>(ExecutionRules.Expire),
        Gen.Const<Func<JobExecution, DateTimeOffset, JobExecution>>(ExecutionRules.Remove));

    [Fact]
    public void What_is_over_stays_as_it_is_and_each_change_has_a_version_of_its_own() =>
        Gen.Select(Events, Gen.Int[0, 20]).List[0, 30].Sample(steps =>
        {
            var (execution, now) = (ExecutionRules.Queue(Job, "t", null, Start), Start);
            foreach (var (happen, minutes) in steps)
            {
                now += TimeSpan.FromMinutes(minutes);
                JobExecution after;
                try
                {
                    after = happen(execution, now);
                }
                catch (JobRefusal)
                {
                    continue;
                }
                if (ReferenceEquals(after, execution))
                    continue;
                Assert.True(execution.IsPending);
                Assert.Equal(execution.Version + 1, after.Version);
                Assert.Equal((execution.Number, execution.QueuedAt, now), (after.Number, after.QueuedAt, after.LastUpdatedAt));
                Assert.Equal(after.Status == ExecutionStatus.IN_PROGRESS, after.TimesOutAt is not null);
                Assert.True(after.IsPending || after.DueAt is null);
                execution = after;
            }
        });
}

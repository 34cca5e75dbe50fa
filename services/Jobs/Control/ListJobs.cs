using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>The account's jobs, the latest first.</summary>
[Operation<Iot>("GET /jobs")]
sealed class ListJobs(Listing listing) : Operation<ListJobsRequest, ListJobsResponse>
{
    protected override Permission Needs(ListJobsRequest request, Caller caller) => new("iot:ListJobs");

    protected override async ValueTask<ListJobsResponse> Run(ListJobsRequest request, Caller caller, CancellationToken cancel)
    {
        var name = $"ListJobs {request.Status} {request.TargetSelection} {request.ThingGroupName} {request.ThingGroupId} {request.NamespaceId}";
        var scan = ScanFor(request) with { Descending = true };
        var page = await listing.ReadWhere(Job.Table, caller, name, scan, job => Fits(job, request), request.NextToken, request.MaxResults, cancel);
        return new() { Jobs = [.. page.Items.Select(j => JobSummary.Of(j, caller))], NextToken = page.Next };
    }

    /// <summary>By the rarest of what is asked for; the rest is sifted.</summary>
    static Scan ScanFor(ListJobsRequest request) =>
        request.ThingGroupId is { } id ? new() { Index = "group", Prefix = Key.Prefix("id", id) }
        : request.ThingGroupName is { } name ? new() { Index = "group", Prefix = Key.Prefix("name", name) }
        : request.Status is { } status ? new() { Index = "status", Prefix = Key.Prefix(status) }
        : new() { Index = "order" };

    static bool Fits(Job job, ListJobsRequest request) =>
        (request.Status is null || job.Status.ToString() == request.Status)
        && (request.TargetSelection is null || request.TargetSelection == "CONTINUOUS" == job.IsContinuous)
        && (request.NamespaceId is null || job.NamespaceId == request.NamespaceId)
        && (request.ThingGroupName is null || job.Targets.Any(t => t.GroupId is not null && t.Name == request.ThingGroupName))
        && (request.ThingGroupId is null || job.Targets.Any(t => t.GroupId == request.ThingGroupId));
}

sealed record JobSummary
{
    public string? JobArn { get; init; }
    public string? JobId { get; init; }

    /// <summary>The group, when a job has one group for its target and nothing else.</summary>
    public string? ThingGroupId { get; init; }
    public string? TargetSelection { get; init; }
    public string? Status { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public bool? IsConcurrent { get; init; }

    public static JobSummary Of(Job job, Caller caller) => new()
    {
        JobArn = Control.JobArn.Of(job.Id, caller),
        JobId = job.Id,
        ThingGroupId = job.Targets is [{ GroupId: { } id }] ? id : null,
        TargetSelection = job.IsContinuous ? "CONTINUOUS" : "SNAPSHOT",
        Status = job.Status.ToString(),
        CreatedAt = job.CreatedAt,
        LastUpdatedAt = job.LastUpdatedAt,
        CompletedAt = job.CompletedAt,
        IsConcurrent = job.IsConcurrent,
    };
}

sealed record ListJobsRequest
{
    [Query, OneOf("IN_PROGRESS", "CANCELED", "COMPLETED", "DELETION_IN_PROGRESS", "SCHEDULED")]
    public string? Status { get; init; }
    [Query, OneOf("CONTINUOUS", "SNAPSHOT")]
    public string? TargetSelection { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Length(1, 128), Pattern(Names.ThingGroup)]
    public string? ThingGroupName { get; init; }
    [Query, Length(1, 128), Pattern(@"[a-zA-Z0-9\-]+")]
    public string? ThingGroupId { get; init; }
    [Query, Pattern(JobArn.IdPattern)]
    public string? NamespaceId { get; init; }
}

sealed record ListJobsResponse
{
    public IReadOnlyList<JobSummary>? Jobs { get; init; }
    public string? NextToken { get; init; }
}

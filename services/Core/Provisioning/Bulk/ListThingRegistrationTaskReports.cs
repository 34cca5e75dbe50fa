using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Bulk;

/// <summary>Where a finished task's report can be read: it stands in the input's bucket, and the URL has the task's role's rights.</summary>
[Operation<Iot>("GET /thing-registration-tasks/{taskId}/reports")]
sealed class ListThingRegistrationTaskReports(IStore store, IEnumerable<IObjectFiles> files, Listing listing)
    : Operation<ListThingRegistrationTaskReportsRequest, ListThingRegistrationTaskReportsResponse>
{
    static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    protected override Permission Needs(ListThingRegistrationTaskReportsRequest request, Caller caller) => new("iot:ListThingRegistrationTaskReports");

    protected override async ValueTask<ListThingRegistrationTaskReportsResponse> Run(
        ListThingRegistrationTaskReportsRequest request, Caller caller, CancellationToken cancel)
    {
        var task = (await RegistrationTask.Require(store, caller.Account, request.TaskId, cancel)).Value;
        List<string> links = [];
        if (task.IsOver && files.FirstOrDefault() is { } found && await ServiceRole.FindTrusting(store, caller.Account, task.RoleArn, cancel) is { } role)
            links.Add(found.Presign(role, caller.Region, task.Bucket, task.ReportKey(request.ReportType), Lifetime).AbsoluteUri);
        var page = listing.Cut(links, caller, $"ListThingRegistrationTaskReports {task.Id} {request.ReportType}", request.NextToken, request.MaxResults);
        return new() { ResourceLinks = page.Items, ReportType = request.ReportType, NextToken = page.Next };
    }
}

sealed record ListThingRegistrationTaskReportsRequest
{
    [Label, Length(0, 40)]
    public required string TaskId { get; init; }
    [Query, OneOf("ERRORS", "RESULTS")]
    public required string ReportType { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
}

sealed record ListThingRegistrationTaskReportsResponse
{
    public IReadOnlyList<string>? ResourceLinks { get; init; }
    public string? ReportType { get; init; }
    public string? NextToken { get; init; }
}

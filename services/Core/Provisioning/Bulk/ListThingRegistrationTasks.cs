using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Bulk;

/// <summary>Tasks, the newest first.</summary>
[Operation<Iot>("GET /thing-registration-tasks")]
sealed class ListThingRegistrationTasks(Listing listing) : Operation<ListThingRegistrationTasksRequest, ListThingRegistrationTasksResponse>
{
    protected override Permission Needs(ListThingRegistrationTasksRequest request, Caller caller) => new("iot:ListThingRegistrationTasks");

    protected override async ValueTask<ListThingRegistrationTasksResponse> Run(ListThingRegistrationTasksRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = request.Status is { } status
            ? new Scan { Index = "status", Prefix = Key.Prefix(status), Descending = true }
            : new Scan { Index = "created", Descending = true };
        var page = await listing.Read(
            RegistrationTask.Table, caller, $"ListThingRegistrationTasks {request.Status}", scan, request.NextToken, request.MaxResults, cancel);
        return new() { TaskIds = [.. page.Items.Select(t => t.Id)], NextToken = page.Next };
    }
}

sealed record ListThingRegistrationTasksRequest
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query, OneOf("InProgress", "Completed", "Failed", "Cancelled", "Cancelling")]
    public string? Status { get; init; }
}

sealed record ListThingRegistrationTasksResponse
{
    public IReadOnlyList<string>? TaskIds { get; init; }
    public string? NextToken { get; init; }
}

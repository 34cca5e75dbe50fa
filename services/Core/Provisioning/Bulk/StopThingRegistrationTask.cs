using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Bulk;

/// <summary>Ends a task after the line that it is at. What was registered stays.</summary>
[Operation<Iot>("PUT /thing-registration-tasks/{taskId}/cancel")]
sealed class StopThingRegistrationTask(IStore store, BulkWorker worker, TimeProvider clock) : Operation<StopThingRegistrationTaskRequest, EmptyResponse>
{
    protected override Permission Needs(StopThingRegistrationTaskRequest request, Caller caller) => new("iot:StopThingRegistrationTask");

    protected override async ValueTask<EmptyResponse> Run(StopThingRegistrationTaskRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await RegistrationTask.Require(store, caller.Account, request.TaskId, cancel);
        if (row.Value.IsOver)
            throw Refuse.InvalidRequest($"The task is {row.Value.Status}: there is nothing to stop.");
        var changed = row.Value with { Status = RegistrationTask.Cancelling, LastModifiedAt = clock.GetUtcNow() };
        await store.Commit(new Batch().Replace(RegistrationTask.Table, row, changed), cancel);
        worker.Wake();
        return EmptyResponse.Instance;
    }
}

sealed record StopThingRegistrationTaskRequest
{
    [Label, Length(0, 40)]
    public required string TaskId { get; init; }
}

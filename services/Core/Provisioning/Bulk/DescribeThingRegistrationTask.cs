using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Bulk;

[Operation<Iot>("GET /thing-registration-tasks/{taskId}")]
sealed class DescribeThingRegistrationTask(IStore store) : Operation<DescribeThingRegistrationTaskRequest, DescribeThingRegistrationTaskResponse>
{
    protected override Permission Needs(DescribeThingRegistrationTaskRequest request, Caller caller) => new("iot:DescribeThingRegistrationTask");

    protected override async ValueTask<DescribeThingRegistrationTaskResponse> Run(DescribeThingRegistrationTaskRequest request, Caller caller, CancellationToken cancel)
    {
        var task = (await RegistrationTask.Require(store, caller.Account, request.TaskId, cancel)).Value;
        return new()
        {
            TaskId = task.Id,
            CreationDate = task.CreatedAt,
            LastModifiedDate = task.LastModifiedAt,
            TemplateBody = task.TemplateBody,
            InputFileBucket = task.Bucket,
            InputFileKey = task.ObjectKey,
            RoleArn = task.RoleArn,
            Status = task.Status,
            Message = task.Message,
            SuccessCount = task.Successes,
            FailureCount = task.Failures,
            PercentageProgress = task.Status == RegistrationTask.Completed || task.Bytes == 0 ? 100 : (int)(task.Offset * 100 / task.Bytes),
        };
    }
}

sealed record DescribeThingRegistrationTaskRequest
{
    [Label, Length(0, 40)]
    public required string TaskId { get; init; }
}

sealed record DescribeThingRegistrationTaskResponse
{
    public string? TaskId { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
    public string? TemplateBody { get; init; }
    public string? InputFileBucket { get; init; }
    public string? InputFileKey { get; init; }
    public string? RoleArn { get; init; }
    public string? Status { get; init; }
    public string? Message { get; init; }
    public int? SuccessCount { get; init; }
    public int? FailureCount { get; init; }
    public int? PercentageProgress { get; init; }
}

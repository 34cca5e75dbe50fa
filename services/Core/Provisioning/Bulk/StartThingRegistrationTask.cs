using Althing.Api;
using Althing.Core.Provisioning.Templates;
using Althing.Core.RoleAliases;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Bulk;

/// <summary>Begins to register the things that the lines of an object describe, each a JSON object of parameters for the template.</summary>
[Operation<Iot>("POST /thing-registration-tasks")]
sealed class StartThingRegistrationTask(IStore store, IEnumerable<IObjectFiles> files, BulkWorker worker, TimeProvider clock)
    : Operation<StartThingRegistrationTaskRequest, StartThingRegistrationTaskResponse>
{
    protected override Permission Needs(StartThingRegistrationTaskRequest request, Caller caller) =>
        new("iot:StartThingRegistrationTask") { And = new("iam:PassRole", request.RoleArn) };

    protected override void Check(StartThingRegistrationTaskRequest request)
    {
        RoleAlias.CheckRole(request.RoleArn);
        ProvisioningTemplate.CheckBody(request.TemplateBody, TemplateUse.Registration);
    }

    protected override async ValueTask<StartThingRegistrationTaskResponse> Run(StartThingRegistrationTaskRequest request, Caller caller, CancellationToken cancel)
    {
        await CheckRole(request, caller, cancel);
        var found = files.FirstOrDefault() ?? throw Refuse.InvalidRequest("This platform has no object store that the input file could be in.");
        await using var file = await found.Open(caller.Account, request.InputFileBucket, request.InputFileKey, 0, cancel)
            ?? throw Refuse.InvalidRequest($"There is no object s3://{request.InputFileBucket}/{request.InputFileKey} in this account.");
        var now = clock.GetUtcNow();
        var task = new RegistrationTask
        {
            Account = caller.Account,
            Id = Guid.NewGuid().ToString(),
            Region = caller.Region,
            TemplateBody = request.TemplateBody,
            Bucket = request.InputFileBucket,
            ObjectKey = request.InputFileKey,
            RoleArn = request.RoleArn,
            Status = RegistrationTask.InProgress,
            CreatedAt = now,
            LastModifiedAt = now,
            ETag = file.ETag,
            Bytes = file.Bytes,
        };
        await store.Commit(new Batch().Add(RegistrationTask.Table, task), cancel);
        worker.Wake();
        return new() { TaskId = task.Id };
    }

    async ValueTask CheckRole(StartThingRegistrationTaskRequest request, Caller caller, CancellationToken cancel)
    {
        var role = await ServiceRole.Require(store, caller.Account, request.RoleArn, cancel);
        var resource = $"arn:aws:s3:::{request.InputFileBucket}/{request.InputFileKey}";
        if (!ServiceRole.Allows(role, "s3:GetObject", resource))
            throw Refuse.InvalidRequest($"The role {request.RoleArn} does not allow s3:GetObject on {resource}.");
    }
}

sealed record StartThingRegistrationTaskRequest
{
    [Length(0, 10240), Pattern(@"[\s\S]*")]
    public required string TemplateBody { get; init; }
    [Length(3, 256), Pattern("[a-zA-Z0-9._-]+")]
    public required string InputFileBucket { get; init; }
    [Length(1, 1024), Pattern(@"[a-zA-Z0-9!_.*'()-\/]+")]
    public required string InputFileKey { get; init; }
    [Length(20, 2048)]
    public required string RoleArn { get; init; }
}

sealed record StartThingRegistrationTaskResponse
{
    public string? TaskId { get; init; }
}

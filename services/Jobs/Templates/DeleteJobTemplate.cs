using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Control;
using Althing.Storage;

namespace Althing.Jobs.Templates;

/// <summary>Deletes a job template; jobs made of it stay as they are.</summary>
[Operation<Iot>("DELETE /job-templates/{jobTemplateId}")]
sealed class DeleteJobTemplate(IStore store, TemplateStore templates) : Operation<DeleteJobTemplateRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteJobTemplateRequest request, Caller caller) =>
        new("iot:DeleteJobTemplate", TemplateStore.ArnOf(request.JobTemplateId, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteJobTemplateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await templates.Require(caller.Account, request.JobTemplateId, cancel);
        var batch = new Batch().Delete(JobTemplate.Table, row);
        TagStore.Forget(batch, caller.Account, JobTemplate.TagKey(request.JobTemplateId));
        await store.Commit(batch, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteJobTemplateRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobTemplateId { get; init; }
}

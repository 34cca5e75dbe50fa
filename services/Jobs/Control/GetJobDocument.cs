using Althing.Api;
using Althing.Core;
using Althing.Identity;

namespace Althing.Jobs.Control;

/// <summary>A job's document, its placeholders for presigned URLs as they are: URLs are made for devices only.</summary>
[Operation<Iot>("GET /jobs/{jobId}/job-document")]
sealed class GetJobDocument(JobStore jobs) : Operation<GetJobDocumentRequest, GetJobDocumentResponse>
{
    protected override Permission Needs(GetJobDocumentRequest request, Caller caller) => new("iot:GetJobDocument", JobArn.Of(request.JobId, caller));

    protected override async ValueTask<GetJobDocumentResponse> Run(GetJobDocumentRequest request, Caller caller, CancellationToken cancel) =>
        new() { Document = await jobs.DocumentOf(caller.Account, request.JobId, cancel, asTemplate: request.BeforeSubstitution is true) };
}

sealed record GetJobDocumentRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }

    /// <summary>Parameters are substituted when a job is made of a template; a document of one's own has none, and is the same before and after.</summary>
    [Query]
    public bool? BeforeSubstitution { get; init; }
}

sealed record GetJobDocumentResponse
{
    public string? Document { get; init; }
}

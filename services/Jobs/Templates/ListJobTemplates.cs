using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Jobs.Templates;

/// <summary>The account's own job templates, by their ids.</summary>
[Operation<Iot>("GET /job-templates")]
sealed class ListJobTemplates(Listing listing) : Operation<ListJobTemplatesRequest, ListJobTemplatesResponse>
{
    protected override Permission Needs(ListJobTemplatesRequest request, Caller caller) => new("iot:ListJobTemplates");

    protected override async ValueTask<ListJobTemplatesResponse> Run(ListJobTemplatesRequest request, Caller caller, CancellationToken cancel)
    {
        var page = await listing.Read(JobTemplate.Table, caller, "ListJobTemplates", new Scan(), request.NextToken, request.MaxResults, cancel);
        return new()
        {
            JobTemplates =
            [
                .. from template in page.Items
                   select new JobTemplateSummary
                   {
                       JobTemplateArn = TemplateStore.ArnOf(template.Id, caller),
                       JobTemplateId = template.Id,
                       Description = template.Description,
                       CreatedAt = template.CreatedAt,
                   },
            ],
            NextToken = page.Next,
        };
    }
}

sealed record ListJobTemplatesRequest
{
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
}

sealed record ListJobTemplatesResponse
{
    public IReadOnlyList<JobTemplateSummary>? JobTemplates { get; init; }
    public string? NextToken { get; init; }
}

sealed record JobTemplateSummary
{
    public string? JobTemplateArn { get; init; }
    public string? JobTemplateId { get; init; }
    public string? Description { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
}

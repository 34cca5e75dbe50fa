using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

[Operation<Iot>("GET /provisioning-templates")]
sealed class ListProvisioningTemplates(Listing listing) : Operation<ListProvisioningTemplatesRequest, ListProvisioningTemplatesResponse>
{
    protected override Permission Needs(ListProvisioningTemplatesRequest request, Caller caller) => new("iot:ListProvisioningTemplates");

    protected override async ValueTask<ListProvisioningTemplatesResponse> Run(ListProvisioningTemplatesRequest request, Caller caller, CancellationToken cancel)
    {
        var page = await listing.Read(ProvisioningTemplate.Table, caller, "ListProvisioningTemplates", Scan.All, request.NextToken, request.MaxResults, cancel);
        return new()
        {
            Templates = [.. page.Items.Select(t => new ProvisioningTemplateSummary
            {
                TemplateArn = ProvisioningTemplate.Arn(t.Name, caller),
                TemplateName = t.Name,
                Description = t.Description,
                CreationDate = t.CreatedAt,
                LastModifiedDate = t.LastModifiedAt,
                Enabled = t.Enabled,
                Type = t.Type,
            })],
            NextToken = page.Next,
        };
    }
}

sealed record ListProvisioningTemplatesRequest
{
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
}

sealed record ListProvisioningTemplatesResponse
{
    public IReadOnlyList<ProvisioningTemplateSummary>? Templates { get; init; }
    public string? NextToken { get; init; }
}

sealed record ProvisioningTemplateSummary
{
    public string? TemplateArn { get; init; }
    public string? TemplateName { get; init; }
    public string? Description { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
    public bool? Enabled { get; init; }
    public string? Type { get; init; }
}

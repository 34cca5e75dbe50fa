using Althing.Api;
using Althing.Core;
using Althing.Identity;

namespace Althing.Jobs.Templates;

/// <summary>The templates that the platform brings.</summary>
[Operation<Iot>("GET /managed-job-templates")]
sealed class ListManagedJobTemplates(Listing listing) : Operation<ListManagedJobTemplatesRequest, ListManagedJobTemplatesResponse>
{
    protected override Permission Needs(ListManagedJobTemplatesRequest request, Caller caller) => new("iot:ListManagedJobTemplates");

    protected override ValueTask<ListManagedJobTemplatesResponse> Run(ListManagedJobTemplatesRequest request, Caller caller, CancellationToken cancel)
    {
        var all = ManagedTemplate.All.Where(t => request.TemplateName is null || t.Name == request.TemplateName).OrderBy(t => t.Name, StringComparer.Ordinal)
            .ToDictionary(t => t.Name);
        var page = listing.Cut(all.Keys, caller, $"ListManagedJobTemplates {request.TemplateName}", request.NextToken, request.MaxResults);
        return new(new ListManagedJobTemplatesResponse
        {
            ManagedJobTemplates =
            [
                .. from template in page.Items.Select(n => all[n])
                   select new ManagedJobTemplateSummary
                   {
                       TemplateArn = template.ArnFor(caller),
                       TemplateName = template.Name,
                       Description = template.Description,
                       Environments = template.Environments,
                       TemplateVersion = template.Version,
                   },
            ],
            NextToken = page.Next,
        });
    }
}

sealed record ListManagedJobTemplatesRequest
{
    [Query, Length(1, 64)]
    public string? TemplateName { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
}

sealed record ListManagedJobTemplatesResponse
{
    public IReadOnlyList<ManagedJobTemplateSummary>? ManagedJobTemplates { get; init; }
    public string? NextToken { get; init; }
}

sealed record ManagedJobTemplateSummary
{
    public string? TemplateArn { get; init; }
    public string? TemplateName { get; init; }
    public string? Description { get; init; }
    public IReadOnlyList<string>? Environments { get; init; }
    public string? TemplateVersion { get; init; }
}

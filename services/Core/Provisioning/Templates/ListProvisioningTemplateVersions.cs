using System.Globalization;
using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

/// <summary>A template's versions, the oldest first.</summary>
[Operation<Iot>("GET /provisioning-templates/{templateName}/versions")]
sealed class ListProvisioningTemplateVersions(IStore store, Listing listing)
    : Operation<ListProvisioningTemplateVersionsRequest, ListProvisioningTemplateVersionsResponse>
{
    protected override Permission Needs(ListProvisioningTemplateVersionsRequest request, Caller caller) =>
        new("iot:ListProvisioningTemplateVersions", ProvisioningTemplate.Arn(request.TemplateName, caller));

    protected override async ValueTask<ListProvisioningTemplateVersionsResponse> Run(
        ListProvisioningTemplateVersionsRequest request, Caller caller, CancellationToken cancel)
    {
        var template = (await ProvisioningTemplate.Require(store, caller.Account, request.TemplateName, cancel)).Value;
        var versions = template.Versions.ToDictionary(v => v.Id.ToString("D10", CultureInfo.InvariantCulture));
        var page = listing.Cut(versions.Keys.Order(StringComparer.Ordinal), caller, $"ListProvisioningTemplateVersions {template.Name}", request.NextToken, request.MaxResults);
        return new()
        {
            Versions = [.. page.Items.Select(k => versions[k]).Select(v => new ProvisioningTemplateVersionSummary
            {
                VersionId = v.Id,
                CreationDate = v.CreatedAt,
                IsDefaultVersion = v.Id == template.DefaultVersion,
            })],
            NextToken = page.Next,
        };
    }
}

sealed record ListProvisioningTemplateVersionsRequest
{
    [Label, Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
}

sealed record ListProvisioningTemplateVersionsResponse
{
    public IReadOnlyList<ProvisioningTemplateVersionSummary>? Versions { get; init; }
    public string? NextToken { get; init; }
}

sealed record ProvisioningTemplateVersionSummary
{
    public int? VersionId { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public bool? IsDefaultVersion { get; init; }
}

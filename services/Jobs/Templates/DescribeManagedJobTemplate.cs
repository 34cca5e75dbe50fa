using Althing.Api;
using Althing.Core;
using Althing.Identity;

namespace Althing.Jobs.Templates;

/// <summary>A managed template, its document, and what that wants to know.</summary>
[Operation<Iot>("GET /managed-job-templates/{templateName}")]
sealed class DescribeManagedJobTemplate : Operation<DescribeManagedJobTemplateRequest, DescribeManagedJobTemplateResponse>
{
    protected override Permission Needs(DescribeManagedJobTemplateRequest request, Caller caller) =>
        new("iot:DescribeManagedJobTemplate", $"arn:aws:iot:{caller.Region}::{TemplateStore.ResourceType}/{request.TemplateName}:{request.TemplateVersion ?? "1.0"}");

    protected override ValueTask<DescribeManagedJobTemplateResponse> Run(DescribeManagedJobTemplateRequest request, Caller caller, CancellationToken cancel)
    {
        var template = ManagedTemplate.All.FirstOrDefault(t => t.Name == request.TemplateName && (request.TemplateVersion is null || t.Version == request.TemplateVersion))
            ?? throw Refuse.ResourceNotFound(
                $"There is no managed job template '{request.TemplateName}'{(request.TemplateVersion is { } version ? $" of version {version}" : "")}. "
                + "ListManagedJobTemplates shows those there are.");
        return new(new DescribeManagedJobTemplateResponse
        {
            TemplateName = template.Name,
            TemplateArn = template.ArnFor(caller),
            Description = template.Description,
            TemplateVersion = template.Version,
            Environments = template.Environments,
            DocumentParameters = template.Parameters,
            Document = template.Document,
        });
    }
}

sealed record DescribeManagedJobTemplateRequest
{
    [Label, Length(1, 64)]
    public required string TemplateName { get; init; }
    [Query, Pattern("^[1-9]+.[0-9]+")]
    public string? TemplateVersion { get; init; }
}

sealed record DescribeManagedJobTemplateResponse
{
    public string? TemplateName { get; init; }
    public string? TemplateArn { get; init; }
    public string? Description { get; init; }
    public string? TemplateVersion { get; init; }
    public IReadOnlyList<string>? Environments { get; init; }
    public IReadOnlyList<DocumentParameter>? DocumentParameters { get; init; }
    public string? Document { get; init; }
}

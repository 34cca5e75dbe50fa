using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Control;

namespace Althing.Jobs.Templates;

/// <summary>A job template with its document.</summary>
[Operation<Iot>("GET /job-templates/{jobTemplateId}")]
sealed class DescribeJobTemplate(TemplateStore templates) : Operation<DescribeJobTemplateRequest, DescribeJobTemplateResponse>
{
    protected override Permission Needs(DescribeJobTemplateRequest request, Caller caller) =>
        new("iot:DescribeJobTemplate", TemplateStore.ArnOf(request.JobTemplateId, caller));

    protected override async ValueTask<DescribeJobTemplateResponse> Run(DescribeJobTemplateRequest request, Caller caller, CancellationToken cancel)
    {
        var template = (await templates.Require(caller.Account, request.JobTemplateId, cancel)).Value;
        return new()
        {
            JobTemplateArn = TemplateStore.ArnOf(template.Id, caller),
            JobTemplateId = template.Id,
            Description = template.Description,
            DocumentSource = template.DocumentSource,
            Document = template.Document,
            CreatedAt = template.CreatedAt,
            PresignedUrlConfig = template.PresignedUrlConfig,
            JobExecutionsRolloutConfig = template.JobExecutionsRolloutConfig,
            AbortConfig = template.AbortConfig,
            TimeoutConfig = template.TimeoutConfig,
            JobExecutionsRetryConfig = template.JobExecutionsRetryConfig,
            MaintenanceWindows = template.MaintenanceWindows,
            DestinationPackageVersions = template.DestinationPackageVersions,
        };
    }
}

sealed record DescribeJobTemplateRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobTemplateId { get; init; }
}

sealed record DescribeJobTemplateResponse
{
    public string? JobTemplateArn { get; init; }
    public string? JobTemplateId { get; init; }
    public string? Description { get; init; }
    public string? DocumentSource { get; init; }
    public string? Document { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public PresignedUrlConfig? PresignedUrlConfig { get; init; }
    public JobExecutionsRolloutConfig? JobExecutionsRolloutConfig { get; init; }
    public AbortConfig? AbortConfig { get; init; }
    public TimeoutConfig? TimeoutConfig { get; init; }
    public JobExecutionsRetryConfig? JobExecutionsRetryConfig { get; init; }
    public IReadOnlyList<MaintenanceWindow>? MaintenanceWindows { get; init; }
    public IReadOnlyList<string>? DestinationPackageVersions { get; init; }
}

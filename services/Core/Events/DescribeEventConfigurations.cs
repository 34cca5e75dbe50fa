using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Events;

[Operation<Iot>("GET /event-configurations")]
sealed class DescribeEventConfigurations(IStore store) : Operation<DescribeEventConfigurationsRequest, DescribeEventConfigurationsResponse>
{
    protected override Permission Needs(DescribeEventConfigurationsRequest request, Caller caller) => new("iot:DescribeEventConfigurations");

    protected override async ValueTask<DescribeEventConfigurationsResponse> Run(DescribeEventConfigurationsRequest request, Caller caller, CancellationToken cancel)
    {
        var settings = (await store.Get(EventSettings.Table, caller.Account, EventSettings.Key, cancel))?.Value;
        return new()
        {
            EventConfigurations = EventSettings.Types.ToDictionary(t => t, t => new Configuration { Enabled = settings?.Enabled.Contains(t) is true }),
            CreationDate = settings?.CreatedAt,
            LastModifiedDate = settings?.LastModifiedAt,
        };
    }
}

sealed record DescribeEventConfigurationsRequest;

sealed record DescribeEventConfigurationsResponse
{
    public IReadOnlyDictionary<string, Configuration>? EventConfigurations { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
}

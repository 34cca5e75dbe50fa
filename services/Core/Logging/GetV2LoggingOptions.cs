using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Logging;

[Operation<Iot>("GET /v2LoggingOptions")]
sealed class GetV2LoggingOptions(IStore store) : Operation<GetV2LoggingOptionsRequest, GetV2LoggingOptionsResponse>
{
    protected override Permission Needs(GetV2LoggingOptionsRequest request, Caller caller) => new("iot:GetV2LoggingOptions");

    protected override async ValueTask<GetV2LoggingOptionsResponse> Run(GetV2LoggingOptionsRequest request, Caller caller, CancellationToken cancel)
    {
        var settings = (await LoggingSettings.Require(store, caller.Account, cancel)).Value;
        return new()
        {
            RoleArn = settings.RoleArn,
            DefaultLogLevel = settings.DefaultLevel.ToString(),
            DisableAllLogs = settings.DisableAll,
            EventConfigurations = request.Verbose is true ? [] : null,
        };
    }
}

sealed record GetV2LoggingOptionsRequest
{
    [Query]
    public bool? Verbose { get; init; }
}

sealed record GetV2LoggingOptionsResponse
{
    public string? RoleArn { get; init; }
    public string? DefaultLogLevel { get; init; }
    public bool? DisableAllLogs { get; init; }
    public IReadOnlyList<LogEventConfiguration>? EventConfigurations { get; init; }
}

sealed record LogEventConfiguration
{
    [Length(1, 512)]
    public required string EventType { get; init; }
    [OneOf("DEBUG", "INFO", "ERROR", "WARN", "DISABLED")]
    public string? LogLevel { get; init; }
    [Length(1, 512), Pattern(@"^[.\-_/#A-Za-z0-9]+$")]
    public string? LogDestination { get; init; }
}

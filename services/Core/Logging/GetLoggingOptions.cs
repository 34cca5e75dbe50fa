using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Logging;

/// <summary>The older form of GetV2LoggingOptions; an account that set none has ERROR, the platform's own default.</summary>
[Operation<Iot>("GET /loggingOptions")]
sealed class GetLoggingOptions(IStore store) : Operation<GetLoggingOptionsRequest, GetLoggingOptionsResponse>
{
    protected override Permission Needs(GetLoggingOptionsRequest request, Caller caller) => new("iot:GetLoggingOptions");

    protected override async ValueTask<GetLoggingOptionsResponse> Run(GetLoggingOptionsRequest request, Caller caller, CancellationToken cancel)
    {
        var settings = (await store.Get(LoggingSettings.Table, caller.Account, LoggingSettings.Key, cancel))?.Value;
        var level = settings?.DisableAll is true ? IotLogLevel.DISABLED : settings?.DefaultLevel ?? IotLogLevel.ERROR;
        return new() { RoleArn = settings?.RoleArn, LogLevel = level.ToString() };
    }
}

sealed record GetLoggingOptionsRequest;

sealed record GetLoggingOptionsResponse
{
    public string? RoleArn { get; init; }
    public string? LogLevel { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Logging;

/// <summary>
/// Sets the level of the IoT log, whose contents <see cref="IotLog"/> describes. The role is kept and shown; the platform writes its log
/// without one. What is left out stays as it was.
/// </summary>
[Operation<Iot>("POST /v2LoggingOptions")]
sealed class SetV2LoggingOptions(IStore store, IotLog log) : Operation<SetV2LoggingOptionsRequest, EmptyResponse>
{
    protected override Permission Needs(SetV2LoggingOptionsRequest request, Caller caller) =>
        new("iot:SetV2LoggingOptions") { And = request.RoleArn is { } role ? new("iam:PassRole", role) : null };

    protected override void Check(SetV2LoggingOptionsRequest request)
    {
        if (request.EventConfigurations is { Count: > 0 })
            throw Refuse.InvalidRequest("'eventConfigurations' cannot be honoured yet: set levels for all events by defaultLogLevel or SetV2LoggingLevel.");
    }

    protected override async ValueTask<EmptyResponse> Run(SetV2LoggingOptionsRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await store.Get(LoggingSettings.Table, caller.Account, LoggingSettings.Key, cancel);
        var before = row?.Value ?? new() { Account = caller.Account, DefaultLevel = IotLogLevel.ERROR };
        var settings = before with
        {
            RoleArn = request.RoleArn ?? before.RoleArn,
            DefaultLevel = request.DefaultLogLevel is { } level ? Enum.Parse<IotLogLevel>(level) : before.DefaultLevel,
            DisableAll = request.DisableAllLogs ?? before.DisableAll,
        };
        await store.Commit(row is { } read ? new Batch().Replace(LoggingSettings.Table, read, settings) : new Batch().Add(LoggingSettings.Table, settings), cancel);
        await log.Reload(caller.Account, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record SetV2LoggingOptionsRequest
{
    public string? RoleArn { get; init; }
    [OneOf("DEBUG", "INFO", "ERROR", "WARN", "DISABLED")]
    public string? DefaultLogLevel { get; init; }
    public bool? DisableAllLogs { get; init; }
    public IReadOnlyList<LogEventConfiguration>? EventConfigurations { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Logging;

/// <summary>Sets the level for one thing group, client id, address or principal, or the default for all others.</summary>
[Operation<Iot>("POST /v2LoggingLevel")]
sealed class SetV2LoggingLevel(IStore store, IotLog log) : Operation<SetV2LoggingLevelRequest, EmptyResponse>
{
    protected override Permission Needs(SetV2LoggingLevelRequest request, Caller caller) => new("iot:SetV2LoggingLevel");

    protected override void Check(SetV2LoggingLevelRequest request)
    {
        if (request.LogTarget is { TargetType: not LogTarget.Default, TargetName: null or "" })
            throw Refuse.InvalidRequest($"A target of type {request.LogTarget.TargetType} needs a 'targetName'.");
    }

    protected override async ValueTask<EmptyResponse> Run(SetV2LoggingLevelRequest request, Caller caller, CancellationToken cancel)
    {
        var settings = await LoggingSettings.Require(store, caller.Account, cancel);
        var level = Enum.Parse<IotLogLevel>(request.LogLevel);
        var batch = new Batch();
        if (request.LogTarget.TargetType == LogTarget.Default)
        {
            batch.Replace(LoggingSettings.Table, settings, settings.Value with { DefaultLevel = level });
        }
        else
        {
            if (await store.Count(LoggingLevel.Table, caller.Account, Scan.All, cancel) >= LoggingLevel.PerAccountMax)
                throw Refuse.LimitExceeded($"The account has {LoggingLevel.PerAccountMax} logging levels already. Delete one first.");
            batch.Put(LoggingLevel.Table, new()
            {
                Account = caller.Account,
                TargetType = request.LogTarget.TargetType,
                TargetName = request.LogTarget.TargetName!,
                Level = level,
            });
        }
        await store.Commit(batch, cancel);
        await log.Reload(caller.Account, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record SetV2LoggingLevelRequest
{
    public required LogTarget LogTarget { get; init; }
    [OneOf("DEBUG", "INFO", "ERROR", "WARN", "DISABLED")]
    public required string LogLevel { get; init; }
}

sealed record LogTarget
{
    public const string Default = "DEFAULT";

    [OneOf("DEFAULT", "THING_GROUP", "CLIENT_ID", "SOURCE_IP", "PRINCIPAL_ID")]
    public required string TargetType { get; init; }
    public string? TargetName { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Logging;

/// <summary>The older form of SetV2LoggingOptions. The role is kept and shown; the platform writes its log without one.</summary>
[Operation<Iot>("POST /loggingOptions")]
sealed class SetLoggingOptions(IStore store, IotLog log) : Operation<SetLoggingOptionsRequest, EmptyResponse>
{
    protected override Permission Needs(SetLoggingOptionsRequest request, Caller caller) =>
        new("iot:SetLoggingOptions") { And = new("iam:PassRole", request.LoggingOptionsPayload.RoleArn) };

    protected override async ValueTask<EmptyResponse> Run(SetLoggingOptionsRequest request, Caller caller, CancellationToken cancel)
    {
        var settings = new LoggingSettings
        {
            Account = caller.Account,
            RoleArn = request.LoggingOptionsPayload.RoleArn,
            DefaultLevel = Enum.Parse<IotLogLevel>(request.LoggingOptionsPayload.LogLevel ?? nameof(IotLogLevel.DISABLED)),
        };
        await store.Commit(new Batch().Put(LoggingSettings.Table, settings), cancel);
        await log.Reload(caller.Account, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record SetLoggingOptionsRequest
{
    [Payload]
    public required LoggingOptionsPayload LoggingOptionsPayload { get; init; }
}

sealed record LoggingOptionsPayload
{
    public required string RoleArn { get; init; }
    [OneOf("DEBUG", "INFO", "ERROR", "WARN", "DISABLED")]
    public string? LogLevel { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Logging;

/// <summary>Forgets the level of one target, for which the default holds again; without effect when it has none.</summary>
[Operation<Iot>("DELETE /v2LoggingLevel")]
sealed class DeleteV2LoggingLevel(IStore store, IotLog log) : Operation<DeleteV2LoggingLevelRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteV2LoggingLevelRequest request, Caller caller) => new("iot:DeleteV2LoggingLevel");

    protected override void Check(DeleteV2LoggingLevelRequest request)
    {
        if (request.TargetType == LogTarget.Default)
            throw Refuse.InvalidRequest("The default level cannot be deleted; set another with SetV2LoggingOptions.");
    }

    protected override async ValueTask<EmptyResponse> Run(DeleteV2LoggingLevelRequest request, Caller caller, CancellationToken cancel)
    {
        await store.Commit(new Batch().Delete(LoggingLevel.Table, caller.Account, Key.Of(request.TargetType, request.TargetName)), cancel);
        await log.Reload(caller.Account, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteV2LoggingLevelRequest
{
    [Query, OneOf("DEFAULT", "THING_GROUP", "CLIENT_ID", "SOURCE_IP", "PRINCIPAL_ID")]
    public required string TargetType { get; init; }
    [Query]
    public required string TargetName { get; init; }
}

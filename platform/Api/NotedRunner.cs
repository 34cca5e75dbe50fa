using System.Text.Json.Nodes;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Api;

/// <summary>Runs operations and notes in the audit log those that can change something, and how they ended. Every door leads through here.</summary>
public sealed class NotedRunner(OperationRunner runner, AuditLog audit)
{
    internal async ValueTask<object> Run(OperationInfo operation, JsonObject members, Caller caller, RequestOrigin origin, CancellationToken cancel, RequestContent? content = null)
    {
        if (operation.IsReadOnly)
            return await RunOnce(operation, members, caller, content, cancel);
        string? error = "InternalFailureException";
        try
        {
            // A change that has begun is brought to its end although the client may have left, so that the log tells the truth.
            var response = await RunOnce(operation, members, caller, content, CancellationToken.None);
            error = null;
            return response;
        }
        catch (ServiceException refusal)
        {
            error = refusal.Code;
            throw;
        }
        finally
        {
            await audit.Note(operation, caller, members, error, origin);
        }
    }

    async ValueTask<object> RunOnce(OperationInfo operation, JsonObject members, Caller caller, RequestContent? content, CancellationToken cancel)
    {
        try
        {
            return await runner.Run(operation, members, caller, cancel, content);
        }
        catch (StorageConflictException)
        {
            throw Refuse.Unavailable("Too many calls change the same resource at once. Try again.");
        }
    }
}

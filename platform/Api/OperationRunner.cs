using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Identity;

namespace Althing.Api;

/// <summary>
/// Carries out an operation in some other place than this process, once its members are checked and its caller is authorized. Answers null
/// for operations that are carried out here.
/// </summary>
public delegate ValueTask<object?> CarriedOutElsewhere(OperationInfo operation, object request, Caller caller, CancellationToken cancel);

/// <summary>Runs an operation for an authenticated caller, whichever door it came by: binds, checks, authorizes, does the work.</summary>
/// <param name="elsewhere">Asked first for every operation; without it all are carried out here.</param>
public sealed class OperationRunner(IdempotencyStore idempotency, CarriedOutElsewhere? elsewhere = null)
{
    /// <param name="members">All members of the request under their JSON names.</param>
    /// <param name="content">The body of an operation that takes one as it arrives.</param>
    /// <exception cref="ServiceException">Any modelled refusal.</exception>
    public async ValueTask<object> Run(OperationInfo operation, JsonObject members, Caller caller, CancellationToken cancel, RequestContent? content = null)
    {
        var request = Binder.Bind(operation, members);
        if (request is IStreamedRequest streamed)
            streamed.Content = content;
        Authorization.Require(caller.Kind == CallerKind.Root ? null : operation.Instance.PermissionFor(request, caller), caller);
        if (operation.TokenMember is not { } member || member.Property.GetValue(request) is not string { Length: > 0 } token)
            return await Execute(operation, request, caller, cancel);
        return await idempotency.Run(operation, caller.Account, token, members, () => Execute(operation, request, caller, cancel), cancel);
    }

    async ValueTask<object> Execute(OperationInfo operation, object request, Caller caller, CancellationToken cancel)
    {
        operation.Instance.CheckFor(request);
        return (elsewhere is null ? null : await elsewhere(operation, request, caller, cancel)) ?? await operation.Instance.Execute(request, caller, cancel);
    }
}

/// <summary>Calls operations from inside the process, as any outsider would: the console and the command line use it.</summary>
public sealed class ApiClient(OperationCatalog catalog, NotedRunner runner)
{
    /// <summary>Calls an operation and answers its response as JSON, exactly as it would go over the wire.</summary>
    /// <param name="request">An object whose properties are the request's members, such as <c>new { thingName = "pump-1" }</c>, or a JsonObject.</param>
    /// <exception cref="ServiceException">The operation refused.</exception>
    public async ValueTask<JsonObject> Call(Caller caller, string api, string operation, object? request, CancellationToken cancel)
    {
        await using var answer = await Stream(caller, api, operation, request, null, cancel);
        return answer.Members;
    }

    /// <summary>Calls an operation that takes or gives content of any size. The caller disposes the answer.</summary>
    /// <exception cref="ServiceException">The operation refused.</exception>
    public async ValueTask<StreamedAnswer> Stream(Caller caller, string api, string operation, object? request, RequestContent? content, CancellationToken cancel)
    {
        var info = catalog.Find(api, operation) ?? throw Refuse.UnknownOperation($"There is no operation {operation} in {api}.");
        var members = request as JsonObject ?? JsonSerializer.SerializeToNode(request ?? new { }, info.Api.Json)!.AsObject();
        var origin = new RequestOrigin(null, "in process", Guid.NewGuid().ToString());
        var response = await runner.Run(info, members, caller, origin, cancel, content);
        var streamed = response as IStreamedResponse;
        return new(JsonSerializer.SerializeToNode(response, info.ResponseType, info.Api.Json)!.AsObject(), streamed?.Content, streamed?.ContentLength ?? 0);
    }
}

/// <summary>What an operation answered in process.</summary>
/// <param name="Content">The content of an answer that has one; nothing of it is in memory.</param>
/// <param name="ContentLength">Bytes of the content.</param>
public sealed record StreamedAnswer(JsonObject Members, Stream? Content, long ContentLength) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Content?.DisposeAsync() ?? ValueTask.CompletedTask;
}

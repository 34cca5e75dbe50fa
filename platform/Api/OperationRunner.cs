using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Identity;

namespace Althing.Api;

/// <summary>Runs an operation for an authenticated caller, whichever door it came by: binds, checks, authorizes, does the work.</summary>
public sealed class OperationRunner(IdempotencyStore idempotency)
{
    /// <param name="members">All members of the request under their JSON names.</param>
    /// <exception cref="ServiceException">Any modelled refusal.</exception>
    public async ValueTask<object> Run(OperationInfo operation, JsonObject members, Caller caller, CancellationToken cancel)
    {
        var request = Binder.Bind(operation, members);
        Authorize(operation, request, caller);
        if (operation.TokenMember is not { } member || member.Property.GetValue(request) is not string { Length: > 0 } token)
            return await operation.Instance.Execute(request, caller, cancel);
        return await idempotency.Run(operation, caller.Account, token, members, () => operation.Instance.Execute(request, caller, cancel), cancel);
    }

    static void Authorize(OperationInfo operation, object request, Caller caller)
    {
        if (caller.Kind == CallerKind.Root)
            return;
        for (var needed = operation.Instance.PermissionFor(request, caller); needed is not null; needed = needed.And)
        {
            if (needed.Action.Length == 0)
                continue;
            foreach (var resource in needed.Resources.Count > 0 ? needed.Resources : ["*"])
                Authorize(caller, new(needed.Action, resource, ContextOf(needed, caller)));
        }
    }

    static IReadOnlyDictionary<string, string> ContextOf(Permission needed, Caller caller)
    {
        if (needed.Context.Count == 0)
            return caller.Context;
        var context = new Dictionary<string, string>(caller.Context, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in needed.Context)
            context[name] = value;
        return context;
    }

    static void Authorize(Caller caller, in AccessRequest asked)
    {
        var judgement = PolicyEvaluator.Evaluate(caller.Policies, asked);
        var bounded = caller.Boundary is { } boundary ? PolicyEvaluator.Evaluate([boundary], asked) : judgement;
        if (judgement.Allowed && bounded.Allowed)
            return;
        var why = judgement.Effect == Effect.ExplicitDeny || bounded.Effect == Effect.ExplicitDeny
            ? "with an explicit deny in a policy"
            : $"because no identity-based policy allows the {asked.Action} action";
        throw Refuse.AccessDenied($"User: {caller.Arn} is not authorized to perform: {asked.Action} on resource: {asked.Resource} {why}");
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
        var info = catalog.Find(api, operation) ?? throw Refuse.UnknownOperation($"There is no operation {operation} in {api}.");
        var members = request as JsonObject ?? JsonSerializer.SerializeToNode(request ?? new { }, info.Api.Json)!.AsObject();
        var origin = new RequestOrigin(null, "in process", Guid.NewGuid().ToString());
        var response = await runner.Run(info, members, caller, origin, cancel);
        return JsonSerializer.SerializeToNode(response, info.ResponseType, info.Api.Json)!.AsObject();
    }
}

using Microsoft.AspNetCore.Http;

namespace Althing.Api;

/// <summary>
/// The routes of an API that has three kinds of paths (all, a bucket, a key in it) and tells its operations apart by the query: which
/// operation a request means.
/// </summary>
/// <remarks>A template's query says what must be there: <c>?uploads</c> a parameter, <c>?list-type=2</c> one with this value.</remarks>
sealed class ObjectRoutes
{
    readonly List<Route> routes = [];

    sealed record Route(OperationInfo Operation, int Depth, IReadOnlyList<(string Name, string? Value)> Query);

    public void Add(OperationInfo operation)
    {
        var (path, query) = operation.Template!.Split('?', 2) is [var p, var q] ? (p, q) : (operation.Template!, "");
        var conditions = from part in query.Split('&', StringSplitOptions.RemoveEmptyEntries)
                         let pair = part.Split('=', 2)
                         select (pair[0], pair.Length > 1 ? pair[1] : null);
        routes.Add(new(operation, path.Split('/', StringSplitOptions.RemoveEmptyEntries).Length, [.. conditions]));
    }

    /// <summary>The operation whose conditions all hold, and of several the one with the most.</summary>
    /// <exception cref="ServiceException">NotImplemented: the request names a part of the API that is not served.</exception>
    public OperationInfo? Find(HttpRequest request, ObjectPath path, IReadOnlyList<string> subresources)
    {
        var fitting = from route in routes
                      where route.Depth == path.Depth && route.Operation.Method == request.Method
                      where route.Operation.NeedsHeader is not { } header || request.Headers.ContainsKey(header)
                      where route.Query.All(c => request.Query.TryGetValue(c.Name, out var value) && (c.Value is null || value == c.Value))
                      orderby route.Query.Count + (route.Operation.NeedsHeader is null ? 0 : 1) descending
                      select route;
        if (fitting.FirstOrDefault() is not { } found)
            return null;
        var unserved = request.Query.Keys.FirstOrDefault(k => subresources.Contains(k, StringComparer.Ordinal) && found.Query.All(c => c.Name != k));
        return unserved is null ? found.Operation
            : throw new ServiceException("NotImplemented", StatusCodes.Status501NotImplemented, $"'?{unserved}' with {request.Method} is not served here. docs/coverage.md lists the operations that are.");
    }
}

/// <summary>A path of bucket and key, decoded.</summary>
sealed record ObjectPath(string? Bucket, string? Key)
{
    public int Depth => Bucket is null ? 0 : Key is null ? 1 : 2;

    /// <param name="rawPath">As sent, still encoded. Slashes of the key stay as they are, also where several follow each other.</param>
    /// <param name="hostBucket">The bucket, if the host's name has it.</param>
    public static ObjectPath Of(string rawPath, string? hostBucket)
    {
        var path = rawPath.TrimStart('/') is var trimmed && hostBucket is null ? trimmed : rawPath[Math.Min(1, rawPath.Length)..];
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var (bucket, key) = hostBucket is not null ? (hostBucket, path)
            : slash < 0 ? (path, "") : (path[..slash], path[(slash + 1)..]);
        return new(bucket.Length > 0 ? Uri.UnescapeDataString(bucket) : null, key.Length > 0 ? Uri.UnescapeDataString(key) : null);
    }
}

using Althing.Api.Protocols;
using Althing.Api.SigV4;
using Microsoft.AspNetCore.Http;

namespace Althing.Api;

/// <summary>Chooses API and operation of a request: by the signature's service, else the host's prefix, else the target header.</summary>
sealed class ApiSelector(OperationCatalog catalog)
{
    readonly List<AwsApi> apis = [.. catalog.Apis];

    /// <summary>The APIs that a request can mean, the likeliest first.</summary>
    public List<AwsApi> Candidates(HttpRequest request, string? service)
    {
        var target = request.Headers["X-Amz-Target"].ToString();
        var host = request.Host.Host;
        var named = service is null ? [] : apis.Where(a => a.SigningNames.Contains(service, StringComparer.OrdinalIgnoreCase)).ToList();
        var fitting = named.Count > 0 || service is not null ? named : apis.Where(a => HostFit(a, host) > 0 || IsTarget(a, target) || IsForm(a, request)).ToList();
        return [.. fitting.OrderByDescending(a => IsTarget(a, target)).ThenByDescending(a => HostFit(a, host))];
    }

    /// <summary>The APIs that devices may call with their certificate.</summary>
    public List<AwsApi> ForCertificates() => [.. apis.Where(a => a.AllowsCertificates)];

    /// <summary>Whether the request is for an API that devices may call without a signature.</summary>
    public bool IsForDevices(HttpRequest request) => Select(request, ForCertificates(), []).Operation is not null;

    /// <summary>The operation among the candidates.</summary>
    public (AwsApi? Api, OperationInfo? Operation) Select(HttpRequest request, List<AwsApi> candidates, ReadOnlySpan<byte> body)
    {
        var target = request.Headers["X-Amz-Target"].ToString();
        var (path, query) = SignedRequest.RawTarget(request);
        foreach (var api in candidates)
        {
            var found = api.Protocol switch
            {
                WireProtocol.RestJson => target.Length == 0 ? catalog.Match(api, request.Method, path) : null,
                WireProtocol.RestXml => null,
                WireProtocol.AwsQuery => AwsQuery.Find(catalog, api, AwsQuery.Form(request.Method, query, body)),
                _ => IsTarget(api, target) ? catalog.Find(api.Name, target[(api.TargetPrefix!.Length + 1)..]) : null,
            };
            if (found is not null)
                return (api, found);
        }
        return (candidates.FirstOrDefault(), null);
    }

    /// <summary>The API of objects that a request is for: by its signature, or by the old kind of presigned URL.</summary>
    public AwsApi? Objects(HttpRequest request, SignedRequest? signed) => apis.FirstOrDefault(a =>
        a.Protocol == WireProtocol.RestXml && (signed is not null ? a.SigningNames.Contains(signed.Service, StringComparer.OrdinalIgnoreCase) : SigV2.IsPresigned(request)));

    /// <summary>Whether an unsigned request looks like one to an API rather than to a page: it has a route here, is an AWS Query form, or names the host of objects.</summary>
    public bool HasRoute(HttpRequest request) =>
        apis.Any(a => IsForm(a, request) || (a.Protocol == WireProtocol.RestXml && HostFit(a, request.Host.Host) > 0)) || apis.Any(a => a.Protocol == WireProtocol.RestJson && catalog.Match(a, request.Method, SignedRequest.RawTarget(request).Path) is not null);

    /// <summary>AWS Query sends forms to the root, or names version and operation in the query string.</summary>
    static bool IsForm(AwsApi api, HttpRequest request) => api.Protocol == WireProtocol.AwsQuery && request.Path == "/"
        && (request.Query.ContainsKey("Action") ? request.Query["Version"] == api.QueryVersion : request.HasFormContentType);

    static bool IsTarget(AwsApi api, string target) =>
        target.Length > 0 && api.TargetPrefix is { } prefix && target.StartsWith(prefix + ".", StringComparison.Ordinal);

    /// <summary>
    /// How well a host fits: the longer the prefix the better, at the host's beginning better than behind another prefix, which SDKs
    /// put before the endpoint for some operations.
    /// </summary>
    static int HostFit(AwsApi api, string host)
    {
        var best = 0;
        foreach (var prefix in api.HostPrefixes)
        {
            if (host.StartsWith(prefix + ".", StringComparison.OrdinalIgnoreCase))
                best = Math.Max(best, 1000 + prefix.Length);
            else if (host.Contains("." + prefix + ".", StringComparison.OrdinalIgnoreCase))
                best = Math.Max(best, prefix.Length);
        }
        return best;
    }
}

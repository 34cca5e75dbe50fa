using Althing.Api.Protocols;
using Althing.Api.SigV4;
using Microsoft.AspNetCore.Http;

namespace Althing.Api;

/// <summary>Chooses API and operation of a request: by the signature's service, else the host's prefix, else the target header.</summary>
sealed class ApiSelector(OperationCatalog catalog)
{
    readonly List<AwsApi> apis = [.. catalog.Apis];

    public (AwsApi? Api, OperationInfo? Operation) Select(HttpRequest request, SignedRequest? signed, ReadOnlySpan<byte> body)
    {
        var target = request.Headers["X-Amz-Target"].ToString();
        var candidates = Candidates(request, signed?.Service, target);
        if (target.Length > 0 && candidates.FirstOrDefault(a => a.TargetPrefix is { } p && target.StartsWith(p + ".", StringComparison.Ordinal)) is { } json)
            return (json, catalog.Find(json.Name, target[(json.TargetPrefix!.Length + 1)..]));
        var path = SignedRequest.RawTarget(request).Path;
        foreach (var api in candidates)
        {
            var found = api.Protocol == WireProtocol.AwsQuery
                ? catalog.Find(api.Name, AwsQuery.Form(request, body).GetValueOrDefault("Action").ToString())
                : catalog.Match(api, request.Method, path);
            if (found is not null)
                return (api, found);
        }
        return (candidates.FirstOrDefault(), null);
    }

    List<AwsApi> Candidates(HttpRequest request, string? service, string target)
    {
        if (service is not null)
            return [.. apis.Where(a => a.SigningNames.Contains(service, StringComparer.OrdinalIgnoreCase))];
        var host = request.Host.Host;
        var byHost = apis.Where(a => a.HostPrefixes.Any(p => host.StartsWith(p + ".", StringComparison.OrdinalIgnoreCase))).ToList();
        if (byHost.Count > 0)
            return byHost;
        return [.. apis.Where(a => a.TargetPrefix is { } p && target.StartsWith(p + ".", StringComparison.Ordinal))];
    }
}

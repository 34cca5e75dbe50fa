using System.Globalization;
using Althing.Identity;

namespace Althing.Api.SigV4;

/// <summary>Signs requests to AWS-compatible endpoints: for the simulator, for tests, and for actions that call other platforms.</summary>
/// <param name="service">The signing name, such as <c>iot</c>.</param>
public sealed class SigV4Signer(string accessKeyId, Secret secret, string region, string service, TimeProvider time, string? sessionToken = null)
{
    bool EncodeAgain => service != "s3";

    /// <summary>Adds the signature to the headers of a request. The body must be given as it will be sent.</summary>
    public void Sign(HttpRequestMessage request, ReadOnlySpan<byte> body)
    {
        var uri = request.RequestUri!;
        var timestamp = Sig.Format(time.GetUtcNow());
        var hash = body.IsEmpty ? Sig.EmptyHash : Sig.HashHex(body);
        SortedDictionary<string, string> headers = new(StringComparer.Ordinal)
        {
            ["host"] = request.Headers.Host ?? uri.Authority,
            ["x-amz-date"] = timestamp,
            ["x-amz-content-sha256"] = hash,
        };
        if (sessionToken is not null)
            headers["x-amz-security-token"] = sessionToken;
        foreach (var (name, values) in request.Headers)
        {
            if (name.StartsWith("x-am", StringComparison.OrdinalIgnoreCase))
                headers[name.ToLowerInvariant()] = Sig.FoldHeader(string.Join(',', values));
        }
        // A caller that set the hash itself, such as UNSIGNED-PAYLOAD, means it.
        var (scope, signature) = Signature(request.Method.Method, uri, headers, headers["x-amz-content-sha256"], timestamp);
        foreach (var name in new[] { "x-amz-date", "x-amz-content-sha256", "x-amz-security-token" })
        {
            if (headers.TryGetValue(name, out var value) && !request.Headers.Contains(name))
                request.Headers.TryAddWithoutValidation(name, value);
        }
        request.Headers.TryAddWithoutValidation("Authorization",
            $"{Sig.Algorithm} Credential={accessKeyId}/{scope}, SignedHeaders={string.Join(';', headers.Keys)}, Signature={signature}");
    }

    /// <summary>A URL that carries its signature in the query and needs no headers but the host.</summary>
    /// <param name="lifetime">1 second to 7 days.</param>
    public Uri Presign(string method, Uri uri, TimeSpan lifetime)
    {
        var timestamp = Sig.Format(time.GetUtcNow());
        var scope = Scope(timestamp);
        var query = $"{uri.Query.TrimStart('?')}&X-Amz-Algorithm={Sig.Algorithm}&X-Amz-Credential={Sig.Encode($"{accessKeyId}/{scope}")}"
            + $"&X-Amz-Date={timestamp}&X-Amz-Expires={((int)lifetime.TotalSeconds).ToString(CultureInfo.InvariantCulture)}&X-Amz-SignedHeaders=host";
        // The token of MQTT over WebSocket is added behind the signature; everywhere else it is signed.
        if (sessionToken is not null && service != "iotdevicegateway")
            query += $"&X-Amz-Security-Token={Sig.Encode(sessionToken)}";
        query = Sig.CanonicalQuery(query);
        var unsigned = new UriBuilder(uri) { Query = query }.Uri;
        SortedDictionary<string, string> headers = new(StringComparer.Ordinal) { ["host"] = uri.Authority };
        var payload = service == "iotdevicegateway" ? Sig.EmptyHash : service == "s3" ? Sig.UnsignedPayload : Sig.EmptyHash;
        var (_, signature) = Signature(method, unsigned, headers, payload, timestamp);
        query += $"&X-Amz-Signature={signature}";
        if (sessionToken is not null && service == "iotdevicegateway")
            query += $"&X-Amz-Security-Token={Sig.Encode(sessionToken)}";
        return new UriBuilder(uri) { Query = query }.Uri;
    }

    string Scope(string timestamp) => $"{timestamp[..8]}/{region}/{service}/aws4_request";

    (string Scope, string Signature) Signature(string method, Uri uri, SortedDictionary<string, string> headers, string hash, string timestamp)
    {
        var canonical = string.Join('\n',
            method,
            Sig.CanonicalPath(uri.AbsolutePath, EncodeAgain),
            Sig.CanonicalQuery(uri.Query),
            string.Concat(headers.Select(h => $"{h.Key}:{h.Value}\n")),
            string.Join(';', headers.Keys),
            hash);
        var scope = Scope(timestamp);
        var key = Sig.DeriveKey(secret.Value, timestamp[..8], region, service);
        return (scope, Sig.Sign(key, Sig.StringToSign(timestamp, scope, canonical)));
    }
}

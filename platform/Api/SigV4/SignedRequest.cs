using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Althing.Api.SigV4;

/// <summary>What a request says of its own signature, in the Authorization header or in the query string; not yet checked.</summary>
sealed record SignedRequest
{
    public required string AccessKeyId { get; init; }
    public required string Date { get; init; }
    public required string Region { get; init; }
    public required string Service { get; init; }
    public required IReadOnlyList<string> SignedHeaders { get; init; }
    public required string Signature { get; init; }
    public required string Timestamp { get; init; }
    public required DateTimeOffset Time { get; init; }
    public string? SessionToken { get; init; }

    /// <summary>For presigned requests: how long after <see cref="Time"/> they are good.</summary>
    public TimeSpan? Lifetime { get; init; }
    public bool Presigned => Lifetime is not null;
    public string Scope => $"{Date}/{Region}/{Service}/aws4_request";

    /// <summary>Reads the signature; null when the request has none.</summary>
    /// <exception cref="ServiceException">IncompleteSignatureException: there is one, but not whole.</exception>
    public static SignedRequest? Read(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Sig.Algorithm + " ", StringComparison.Ordinal))
            return FromHeader(request, authorization);
        if (authorization.Length > 0)
            throw Refuse.IncompleteSignature($"Authorization must begin with {Sig.Algorithm} and have Credential, SignedHeaders and Signature.");
        return request.Query.ContainsKey("X-Amz-Signature") ? FromQuery(request.Query) : null;
    }

    static SignedRequest FromHeader(HttpRequest request, string authorization)
    {
        Dictionary<string, string> parts = new(StringComparer.Ordinal);
        foreach (var part in authorization[Sig.Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                parts[part[..equals]] = part[(equals + 1)..];
        }
        string Part(string name) => parts.TryGetValue(name, out var value) && value.Length > 0
            ? value : throw Refuse.IncompleteSignature($"Authorization header requires '{name}' parameter.");
        var timestamp = request.Headers["x-amz-date"].ToString();
        if (timestamp.Length == 0 && DateTimeOffset.TryParse(request.Headers.Date, CultureInfo.InvariantCulture, out var httpDate))
            timestamp = Sig.Format(httpDate);
        var token = request.Headers["x-amz-security-token"].ToString();
        return Make(Part("Credential"), Part("SignedHeaders"), Part("Signature"), timestamp, token, null);
    }

    static SignedRequest FromQuery(IQueryCollection query)
    {
        string Part(string name) => query[name].ToString() is { Length: > 0 } value
            ? value : throw Refuse.IncompleteSignature($"The query string has X-Amz-Signature but no '{name}'.");
        if (Part("X-Amz-Algorithm") != Sig.Algorithm)
            throw Refuse.IncompleteSignature($"X-Amz-Algorithm must be {Sig.Algorithm}.");
        // MQTT over WebSocket and older signers leave X-Amz-Expires out: the day of the scope bounds them.
        var lifetime = query["X-Amz-Expires"].ToString() is { Length: > 0 } text
            ? int.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 604_800
                ? TimeSpan.FromSeconds(seconds)
                : throw Refuse.IncompleteSignature("X-Amz-Expires must be a number of seconds from 1 to 604800.")
            : TimeSpan.FromMinutes(15);
        return Make(Part("X-Amz-Credential"), Part("X-Amz-SignedHeaders"), Part("X-Amz-Signature"), Part("X-Amz-Date"), query["X-Amz-Security-Token"].ToString(), lifetime);
    }

    static SignedRequest Make(string credential, string signedHeaders, string signature, string timestamp, string token, TimeSpan? lifetime)
    {
        if (credential.Split('/') is not [var key, { Length: 8 } date, { Length: > 0 } region, { Length: > 0 } service, "aws4_request"])
            throw Refuse.IncompleteSignature($"Credential must be of the form key/date/region/service/aws4_request; it is '{credential}'.");
        if (!DateTimeOffset.TryParseExact(timestamp, Sig.TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            throw Refuse.IncompleteSignature("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header in the form 20260131T120000Z.");
        return new()
        {
            AccessKeyId = key,
            Date = date,
            Region = region,
            Service = service,
            SignedHeaders = signedHeaders.Split(';'),
            Signature = signature,
            Timestamp = timestamp,
            Time = time,
            SessionToken = token.Length > 0 ? token : null,
            Lifetime = lifetime,
        };
    }

    /// <summary>The target of the request line as it was sent, still encoded, split at the question mark.</summary>
    public static (string Path, string Query) RawTarget(HttpRequest request)
    {
        var target = request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        if (!target.StartsWith('/'))
            target = Uri.TryCreate(target, UriKind.Absolute, out var absolute) ? absolute.PathAndQuery : request.Path + request.QueryString.ToString();
        var question = target.IndexOf('?', StringComparison.Ordinal);
        return question < 0 ? (target, "") : (target[..question], target[(question + 1)..]);
    }
}

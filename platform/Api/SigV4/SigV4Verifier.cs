using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Althing.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Althing.Api.SigV4;

/// <summary>Checks signatures. A request may be sent again while its signature is fresh, as AWS allows; then it is refused as expired.</summary>
public sealed class SigV4Verifier(SigningKeys keys, TimeProvider time)
{
    /// <summary>How far a client's clock may be off, either way.</summary>
    static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(5);

    /// <summary>"RequestTimeTooSkewed" (Error responses, Amazon S3 API Reference).</summary>
    static readonly TimeSpan SkewMaxS3 = TimeSpan.FromMinutes(15);

    const int DerivedKeysMax = 10_000;
    readonly ConcurrentDictionary<(string Secret, string Date, string Region, string Service), byte[]> derivedKeys = new();

    /// <summary>Checks the signature over the request and answers who signed, and the body without any chunk framing.</summary>
    /// <param name="body">The body as received.</param>
    /// <exception cref="ServiceException">Any of the signature exceptions.</exception>
    internal async ValueTask<(Caller Caller, ReadOnlyMemory<byte> Body)> Verify(
        HttpRequest request, SignedRequest signed, ReadOnlyMemory<byte> body, bool unsignedPayloadAllowed, CancellationToken cancel)
    {
        CheckTime(signed);
        var (key, problem) = await keys.Find(signed.AccessKeyId, signed.SessionToken, signed.Region, cancel);
        if (key is null)
            throw problem == KeyProblem.ExpiredToken ? Refuse.ExpiredToken() : Refuse.UnrecognizedClient();
        RequireSigned(request, signed, "host");
        RequireSigned(request, signed, "x-amz-target");
        var payload = PayloadHash(request, signed, body.Span, unsignedPayloadAllowed);
        var derived = CheckSignature(request, signed, key, payload);
        var caller = key.Caller with { Context = WithRequest(key.Caller.Context, request) };
        return (caller, ChunkedPayload.IsChunked(payload) ? ChunkedPayload.Decode(body.Span, payload, signed, text => Sig.Sign(derived, text)) : body);
    }

    /// <summary>
    /// Checks the signature over all but the content, and answers who signed, and the content, which is checked while it is read. For S3.
    /// </summary>
    /// <param name="signed">Null for a URL presigned with Signature Version 2.</param>
    /// <param name="hostBucket">The bucket, when the host's name has it and not the path.</param>
    /// <exception cref="ServiceException">Any of the signature exceptions.</exception>
    internal async ValueTask<(Caller Caller, RequestContent Content)> VerifyContent(HttpRequest request, SignedRequest? signed, string? hostBucket, CancellationToken cancel)
    {
        if (signed is not null)
            CheckTime(signed);
        var (key, problem) = signed is null
            ? await keys.Find(SigV2.AccessKeyId(request), SigV2.SessionToken(request), "us-east-1", cancel)
            : await keys.Find(signed.AccessKeyId, signed.SessionToken, signed.Region, cancel);
        if (key is null)
            throw problem == KeyProblem.ExpiredToken ? Refuse.ExpiredToken() : Refuse.UnrecognizedClient();
        var caller = key.Caller with { Context = WithRequest(key.Caller.Context, request) };
        if (signed is null)
        {
            SigV2.Verify(request, key.SecretAccessKey, hostBucket, time.GetUtcNow());
            return (caller, Content(request, Sig.UnsignedPayload, null, []));
        }
        RequireSigned(request, signed, "host");
        var payload = DeclaredHash(request, signed);
        return (caller, Content(request, payload, signed, CheckSignature(request, signed, key, payload)));
    }

    static RequestContent Content(HttpRequest request, string payload, SignedRequest? signed, byte[] derived)
    {
        var chunked = ChunkedPayload.IsChunked(payload);
        var length = chunked ? DecodedLength(request) : request.ContentLength
            ?? (request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true && !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method)
                ? throw new ServiceException("MissingContentLength", 411, "You must provide the Content-Length HTTP header.") : 0);
        var hash = chunked || payload == Sig.UnsignedPayload ? null : payload;
        if (!chunked)
            return new(new DeclaredContent(request.Body, length, hash), length);
        var chunks = new ChunkedContent(request.Body, payload, signed!, text => Sig.Sign(derived, text));
        var content = new RequestContent(new DeclaredContent(chunks, length, null), length);
        chunks.Trailers = content.Trailers;
        return content;
    }

    static long DecodedLength(HttpRequest request) => long.TryParse(request.Headers["x-amz-decoded-content-length"], CultureInfo.InvariantCulture, out var length) && length >= 0
        ? length : throw new ServiceException("MissingContentLength", 411, "A body in chunks needs the header x-amz-decoded-content-length.");

    static string DeclaredHash(HttpRequest request, SignedRequest signed)
    {
        var declared = request.Headers["x-amz-content-sha256"].ToString();
        if (declared.Length == 0 && signed.Presigned)
            return request.Query["X-Amz-Content-Sha256"].ToString() is { Length: > 0 } hoisted ? hoisted : Sig.UnsignedPayload;
        if (declared.Length == 0)
            throw new ServiceException("InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256");
        return declared is Sig.UnsignedPayload || ChunkedPayload.IsChunked(declared) || (declared.Length == 64 && declared.All(char.IsAsciiHexDigitLower)) ? declared
            : throw new ServiceException("InvalidArgument", 400, $"x-amz-content-sha256 must be a SHA-256 in hexadecimal, UNSIGNED-PAYLOAD or one of the STREAMING kinds; it is '{declared}'.");
    }

    /// <summary>Answers the key of the day.</summary>
    byte[] CheckSignature(HttpRequest request, SignedRequest signed, SigningKey key, string payload)
    {
        var derived = DerivedKey(key, signed);
        var expected = Sig.Sign(derived, Sig.StringToSign(signed.Timestamp, signed.Scope, Canonical(request, signed, payload)));
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(signed.Signature)))
            throw Refuse.InvalidSignature("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.");
        return derived;
    }

    /// <summary>Authenticates a request without a body, such as the opening of a WebSocket.</summary>
    /// <param name="service">The signing name that the signature must be scoped to; null for any.</param>
    /// <returns>Null when the request carries no signature.</returns>
    /// <exception cref="ServiceException">It carries a wrong one.</exception>
    public async ValueTask<Caller?> Authenticate(HttpRequest request, CancellationToken cancel, string? service = null)
    {
        if (SignedRequest.Read(request) is not { } signed)
            return null;
        if (service is not null && signed.Service != service)
            throw Refuse.InvalidSignature($"Credential should be scoped to correct service: '{service}'.");
        var (caller, _) = await Verify(request, signed, default, unsignedPayloadAllowed: false, cancel);
        return caller;
    }

    /// <summary>The day's key, worked out once: four of the five hashes of a small request. Keyed by the secret, so a changed one is never mistaken.</summary>
    byte[] DerivedKey(SigningKey key, SignedRequest signed)
    {
        var name = (key.SecretAccessKey.Value, signed.Date, signed.Region, signed.Service);
        if (derivedKeys.TryGetValue(name, out var known))
            return known;
        if (derivedKeys.Count >= DerivedKeysMax)
            derivedKeys.Clear();
        return derivedKeys[name] = Sig.DeriveKey(key.SecretAccessKey.Value, signed.Date, signed.Region, signed.Service);
    }

    /// <summary>A header that decides what the request means must be under the signature if it is there.</summary>
    static void RequireSigned(HttpRequest request, SignedRequest signed, string header)
    {
        if ((header == "host" || request.Headers.ContainsKey(header)) && !signed.SignedHeaders.Contains(header))
            throw Refuse.InvalidSignature($"'{header}' must be a 'SignedHeader' in the AWS Authorization.");
    }

    static Dictionary<string, string> WithRequest(IReadOnlyDictionary<string, string> context, HttpRequest request) => new(context, StringComparer.OrdinalIgnoreCase)
    {
        ["aws:SourceIp"] = request.HttpContext.Connection.RemoteIpAddress?.ToString() ?? "",
        ["aws:SecureTransport"] = request.IsHttps ? "true" : "false",
        ["aws:UserAgent"] = request.Headers.UserAgent.ToString(),
    };

    void CheckTime(SignedRequest signed)
    {
        if (!signed.Timestamp.StartsWith(signed.Date, StringComparison.Ordinal))
            throw Refuse.InvalidSignature($"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{signed.Date}' != '{signed.Timestamp[..8]}'.");
        var now = time.GetUtcNow();
        var skew = signed.Service == "s3" ? SkewMaxS3 : SkewMax;
        var good = signed.Lifetime ?? skew;
        if (now > signed.Time + good)
            throw Expired(signed, $"Signature expired: {signed.Timestamp} is now earlier than {Sig.Format(now - good)} ({Sig.Format(now)} - {good.TotalMinutes:0} min.)");
        if (signed.Time - now > skew)
            throw Expired(signed, $"Signature not yet current: {signed.Timestamp} is still later than {Sig.Format(now + skew)} ({Sig.Format(now)} + {skew.TotalMinutes:0} min.)");
    }

    static ServiceException Expired(SignedRequest signed, string message) => signed switch
    {
        { Service: "s3", Presigned: true } => new("AccessDenied", 403, "Request has expired"),
        { Service: "s3" } => new("RequestTimeTooSkewed", 403, message),
        _ => Refuse.InvalidSignature(message),
    };

    /// <summary>The hash that stands in the canonical request. One that the client declares must be that of what it sent.</summary>
    static string PayloadHash(HttpRequest request, SignedRequest signed, ReadOnlySpan<byte> body, bool unsignedAllowed)
    {
        var declared = request.Headers["x-amz-content-sha256"].ToString();
        if (declared.Length == 0)
            return signed.Presigned && unsignedAllowed ? Sig.UnsignedPayload : Sig.HashHex(body);
        if (declared is ChunkedPayload.Signed or ChunkedPayload.SignedWithTrailer)
            return declared;
        if (declared is Sig.UnsignedPayload or ChunkedPayload.UnsignedWithTrailer)
            return unsignedAllowed ? declared : throw Refuse.InvalidSignature($"x-amz-content-sha256 is '{declared}', but this API's requests must sign their body.");
        return declared == Sig.HashHex(body) ? declared
            : throw Refuse.InvalidSignature("The x-amz-content-sha256 header does not match the SHA-256 of the body that arrived.");
    }

    internal static string Canonical(HttpRequest request, SignedRequest signed, string payload)
    {
        var (path, query) = SignedRequest.RawTarget(request);
        var headers = new StringBuilder();
        foreach (var name in signed.SignedHeaders)
        {
            var value = name == "host" ? request.Host.Value ?? "" : string.Join(',', request.Headers[name].Select(v => Sig.FoldHeader(v ?? "")));
            headers.Append(name).Append(':').Append(value).Append('\n');
        }
        var canonicalQuery = Sig.CanonicalQuery(query, "X-Amz-Signature");
        // The session token of MQTT over WebSocket stands behind the signature and is not part of it.
        if (signed is { Presigned: true, Service: "iotdevicegateway" })
            canonicalQuery = string.Join('&', canonicalQuery.Split('&').Where(p => !p.StartsWith("X-Amz-Security-Token=", StringComparison.Ordinal)));
        return string.Join('\n', request.Method, Sig.CanonicalPath(path, signed.Service != "s3"), canonicalQuery,
            headers.ToString(), string.Join(';', signed.SignedHeaders), payload);
    }
}

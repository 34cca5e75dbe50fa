using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Althing.Identity;
using Microsoft.AspNetCore.Http;

namespace Althing.Api.SigV4;

/// <summary>Checks signatures. A request may be sent again while its signature is fresh, as AWS allows; then it is refused as expired.</summary>
public sealed class SigV4Verifier(SigningKeys keys, TimeProvider time)
{
    /// <summary>How far a client's clock may be off, either way.</summary>
    static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(5);

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
        var canonical = Canonical(request, signed, payload);
        var derived = DerivedKey(key, signed);
        var expected = Sig.Sign(derived, Sig.StringToSign(signed.Timestamp, signed.Scope, canonical));
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(signed.Signature)))
            throw Refuse.InvalidSignature("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.");
        var caller = key.Caller with { Context = WithRequest(key.Caller.Context, request) };
        return (caller, ChunkedPayload.IsChunked(payload) ? ChunkedPayload.Decode(body.Span, payload, signed, text => Sig.Sign(derived, text)) : body);
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
        var last = signed.Time + (signed.Lifetime ?? SkewMax);
        if (now > last)
            throw Refuse.InvalidSignature($"Signature expired: {signed.Timestamp} is now earlier than {Sig.Format(now - (signed.Lifetime ?? SkewMax))} ({Sig.Format(now)} - {(signed.Lifetime ?? SkewMax).TotalMinutes:0} min.)");
        if (signed.Time - now > SkewMax)
            throw Refuse.InvalidSignature($"Signature not yet current: {signed.Timestamp} is still later than {Sig.Format(now + SkewMax)} ({Sig.Format(now)} + {SkewMax.TotalMinutes:0} min.)");
    }

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

using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Althing.Api.Protocols;
using Althing.Api.SigV4;
using Althing.Identity;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Althing.Api;

/// <summary>Says who a client certificate makes its caller to be; null when it is unknown, inactive or revoked.</summary>
/// <param name="serverName">The TLS server name that the caller asked for.</param>
/// <param name="sourceIp">The caller's address, for <c>aws:SourceIp</c>.</param>
public delegate ValueTask<Caller?> CertificateCaller(X509Certificate2 certificate, string? serverName, string? sourceIp, CancellationToken cancel);

/// <summary>
/// Says who the credentials make their caller to be that a request carries by an arrangement of its own, such as a token for a custom
/// authorizer; null when it carries none.
/// </summary>
/// <exception cref="ServiceException">It carries some that let nobody in.</exception>
public delegate ValueTask<Caller?> TokenCaller(HttpContext http, CancellationToken cancel);

/// <summary>The one door of all AWS APIs: finds API and operation, authenticates, throttles, runs, answers, and notes what changed.</summary>
public sealed partial class ApiDoor
{
    static readonly ActivitySource Trace = new("Althing.Api");
    static readonly Meter Meter = new("Althing.Api");
    static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("althing.api.duration", "s", "Time to answer a call");

    readonly NotedRunner runner;
    readonly SigV4Verifier verifier;
    readonly TimeProvider time;
    readonly ILogger<ApiDoor> log;
    readonly Throttle throttle;
    readonly ApiSelector selector;
    readonly CertificateCaller? certificates;
    readonly TokenCaller? tokens;
    readonly VirtualHosts hosts;
    readonly OperationCatalog catalog;

    /// <param name="certificates">Who callers with a client certificate are; without it they are nobody.</param>
    /// <param name="tokens">Who callers with other credentials are; it is asked before their certificate is looked at.</param>
    /// <param name="hosts">The platform's names, for buckets in host names.</param>
    public ApiDoor(
        OperationCatalog catalog, NotedRunner runner, SigV4Verifier verifier, ThrottleOptions throttleOptions,
        TimeProvider time, ILogger<ApiDoor> log, CertificateCaller? certificates = null, TokenCaller? tokens = null, VirtualHosts? hosts = null)
    {
        this.hosts = hosts ?? new();
        this.catalog = catalog;
        (this.certificates, this.tokens) = (certificates, tokens);
        (this.runner, this.verifier, this.time, this.log) = (runner, verifier, time, log);
        throttle = new(throttleOptions, time);
        selector = new(catalog);
    }

    /// <summary>
    /// Whether a request is for an API rather than for a page: it is signed, or names an operation, or has an API's route or form and does
    /// not ask for HTML.
    /// </summary>
    public bool Claims(HttpRequest request) =>
        request.Headers.Authorization.ToString().StartsWith("AWS4-", StringComparison.Ordinal)
        || request.Headers.ContainsKey("X-Amz-Target")
        || request.Query.ContainsKey("X-Amz-Signature")
        || SigV2.IsPresigned(request)
        || (!request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase) && selector.HasRoute(request));

    /// <summary>Handles one request to its end; no exception leaves it.</summary>
    public async Task Handle(HttpContext http)
    {
        var requestId = Guid.CreateVersion7(time.GetUtcNow()).ToString();
        var started = time.GetTimestamp();
        http.Response.Headers["x-amzn-RequestId"] = requestId;
        var call = new Call(requestId);
        using var scope = log.BeginScope(new KeyValuePair<string, object>[] { new("RequestId", requestId) });
        try
        {
            await Answer(http, call);
        }
        catch (ServiceException refusal)
        {
            await Refuse(http, call, refusal);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client left; there is nobody to answer.
        }
        catch (Exception failure)
        {
            LogFailure(log, failure, requestId, call.Operation?.Name ?? "-");
            await Refuse(http, call, Api.Refuse.InternalFailure(requestId));
        }
        if (call.Operation is { } operation)
        {
            Duration.Record(time.GetElapsedTime(started).TotalSeconds,
                new("api", operation.Api.Name), new("operation", operation.Name), new("status", http.Response.StatusCode));
        }
    }

    /// <summary>What becomes known of a call on its way.</summary>
    sealed class Call(string requestId)
    {
        public string RequestId { get; } = requestId;
        public AwsApi? Api { get; set; }
        public OperationInfo? Operation { get; set; }
        public RequestContent? Content { get; set; }
    }

    async Task Answer(HttpContext http, Call call)
    {
        var request = http.Request;
        call.Api = selector.Candidates(request, null).FirstOrDefault();
        var signed = SignedRequest.Read(request);
        if (selector.Objects(request, signed) is { } objects)
        {
            call.Api = objects;
            await AnswerObjects(http, call, objects, signed);
            return;
        }
        var byToken = signed is null && tokens is not null && selector.IsForDevices(request) ? await tokens(http, http.RequestAborted) : null;
        var candidates = signed is not null ? selector.Candidates(request, signed.Service)
            : byToken is not null || (http.Connection.ClientCertificate is not null && certificates is not null) ? selector.ForCertificates()
            : throw Api.Refuse.MissingAuthentication("Missing Authentication Token");
        if (candidates.Count == 0)
            throw Api.Refuse.UnknownOperation($"This platform has no service that is signed for as '{signed?.Service}'. docs/coverage.md lists those it has.");
        call.Api = candidates[0];
        var invalid = call.Api?.Invalid ?? TooLarge;
        var bytesMax = candidates.Max(a => a.BodyBytesMax);
        var body = await RequestBody.Read(request, ChunkedPayload.BytesMax(request, bytesMax), invalid, http.RequestAborted);
        var (caller, content) = signed is null ? (byToken ?? await ByCertificate(http), body)
            : await verifier.Verify(request, signed, body, candidates.Any(a => a.AllowsUnsignedPayload), http.RequestAborted);
        (call.Api, call.Operation) = selector.Select(request, candidates, content.Span);
        if (call.Operation is not { } operation)
            throw Api.Refuse.UnknownOperation($"{request.Method} {request.Path} is no operation that this platform serves. docs/coverage.md lists those it does.");
        if (content.Length > operation.Api.BodyBytesMax)
            throw operation.Invalid($"The body has {content.Length} bytes: {operation.Api.BodyBytesMax} are allowed.");
        using var activity = Trace.StartActivity(operation.Name, ActivityKind.Server);
        activity?.SetTag("rpc.service", operation.Api.Name).SetTag("althing.request_id", call.RequestId);
        Throttle(operation, caller);
        var protocol = Protocol.Of(operation.Api);
        var members = protocol.Read(operation, request, content.Span);
        var origin = new RequestOrigin(http.Connection.RemoteIpAddress?.ToString(), request.Headers.UserAgent.ToString(), call.RequestId);
        var response = await runner.Run(operation, members, caller, origin, http.RequestAborted);
        await protocol.Write(operation, response, http.Response, http.RequestAborted);
    }

    /// <summary>A call whose body may be of any size: the operation is known before the body is read.</summary>
    async Task AnswerObjects(HttpContext http, Call call, AwsApi api, SignedRequest? signed)
    {
        var request = http.Request;
        http.Response.Headers["x-amz-request-id"] = call.RequestId;
        var bucket = api.HostPrefixes.Select(prefix => hosts.BucketOf(request.Host.Host, prefix)).FirstOrDefault(b => b is not null);
        CloseAfterEarlyAnswer(http, call);
        var (caller, content) = await verifier.VerifyContent(request, signed, bucket, http.RequestAborted);
        call.Content = content;
        var path = ObjectPath.Of(SignedRequest.RawTarget(request).Path, bucket);
        call.Operation = catalog.Match(api, request, path);
        if (call.Operation is not { } operation)
            throw Api.Refuse.UnknownOperation($"{request.Method} is not allowed against this resource. docs/coverage.md lists the operations that are served.");
        using var activity = Trace.StartActivity(operation.Name, ActivityKind.Server);
        activity?.SetTag("rpc.service", api.Name).SetTag("althing.request_id", call.RequestId);
        Throttle(operation, caller);
        var streamed = operation.RequestType.IsAssignableTo(typeof(IStreamedRequest));
        var body = streamed ? [] : await content.ReadAll(api.BodyBytesMax, api.Invalid, http.RequestAborted);
        CheckDigest(request, body);
        var members = RestXml.Read(operation, request, path, body);
        var origin = new RequestOrigin(http.Connection.RemoteIpAddress?.ToString(), request.Headers.UserAgent.ToString(), call.RequestId);
        var response = await runner.Run(operation, members, caller, origin, http.RequestAborted, streamed ? content : null);
        await RestXml.Instance.Write(operation, response, http.Response, http.RequestAborted);
    }

    /// <summary>
    /// A client that waits for "100 Continue" and gets a final answer instead may have sent part of its body or none (RFC 9110, 10.1.1), and
    /// boto3 mistakes what follows on the connection: it must not be used again.
    /// </summary>
    static void CloseAfterEarlyAnswer(HttpContext http, Call call)
    {
        if (http.Request.Headers.Expect.Count == 0 || !HttpProtocol.IsHttp11(http.Request.Protocol))
            return;
        http.Response.OnStarting(() =>
        {
            if (call.Content?.IsBegun != true)
                http.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        });
    }

    static void CheckDigest(HttpRequest request, byte[] body)
    {
#pragma warning disable CA5351 // What clients send against damage on the way, not against forgery.
        if (body.Length > 0 && request.Headers.ContentMD5.ToString() is { Length: > 0 } declared && Convert.ToBase64String(MD5.HashData(body)) != declared)
            throw new ServiceException("BadDigest", 400, "The Content-MD5 you specified did not match what we received.");
#pragma warning restore CA5351
    }

    void Throttle(OperationInfo operation, Caller caller)
    {
        if (!throttle.TryTake(caller.Account, operation, out var wait))
            throw Throttled(operation.Api, wait);
    }

    async ValueTask<Caller> ByCertificate(HttpContext http)
    {
        var connection = http.Connection;
        var serverName = http.Features.Get<ITlsHandshakeFeature>()?.HostName;
        return await certificates!(connection.ClientCertificate!, serverName is { Length: > 0 } ? serverName : null, connection.RemoteIpAddress?.ToString(), http.RequestAborted)
            ?? throw new ServiceException("ForbiddenException", StatusCodes.Status403Forbidden, "The client certificate is not registered here, or not active.");
    }

    static ServiceException TooLarge(string message) => new("RequestEntityTooLargeException", 413, message);

    static ServiceException Throttled(AwsApi api, TimeSpan wait)
    {
        var refusal = api.Throttled();
        return new(refusal.Code, refusal.Status, refusal.Message, refusal.Fields) { RetryAfter = wait };
    }

    async Task Refuse(HttpContext http, Call call, ServiceException refusal)
    {
        try
        {
            if (http.Response.HasStarted)
            {
                http.Abort();
                return;
            }
            if (refusal.RetryAfter is { } wait)
                http.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            Protocol protocol = call.Api is { } api ? Protocol.Of(api) : RestJson.Instance;
            await protocol.WriteRefusal(refusal, call.Api, call.RequestId, http.Response, http.RequestAborted);
        }
        catch (Exception failure)
        {
            if (!http.RequestAborted.IsCancellationRequested)
                LogFailure(log, failure, call.RequestId, call.Operation?.Name ?? "-");
            http.Abort();
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Request {RequestId} ({Operation}) failed")]
    static partial void LogFailure(ILogger logger, Exception failure, string requestId, string operation);
}

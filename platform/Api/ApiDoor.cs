using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Althing.Api.Protocols;
using Althing.Api.SigV4;
using Althing.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Althing.Api;

/// <summary>The one door of all AWS APIs: finds API and operation, authenticates, throttles, runs, answers, and notes what changed.</summary>
public sealed partial class ApiDoor(
    OperationCatalog catalog, OperationRunner runner, SigV4Verifier verifier, AuditLog audit, ThrottleOptions throttleOptions,
    TimeProvider time, ILogger<ApiDoor> log)
{
    const int BodyBytesMax = 16 << 20;
    static readonly ActivitySource Trace = new("Althing.Api");
    static readonly Meter Meter = new("Althing.Api");
    static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("althing.api.duration", "s", "Time to answer a call");

    readonly Throttle throttle = new(throttleOptions, time);
    readonly ApiSelector selector = new(catalog);

    /// <summary>Handles one request to its end; no exception leaves it.</summary>
    public async Task Handle(HttpContext http)
    {
        var requestId = Guid.CreateVersion7(time.GetUtcNow()).ToString();
        var started = time.GetTimestamp();
        http.Response.Headers["x-amzn-RequestId"] = requestId;
        var call = new Call(requestId);
        try
        {
            await Answer(http, call);
        }
        catch (ServiceException refusal)
        {
            await Refuse(http, call, refusal);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
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
    }

    async Task Answer(HttpContext http, Call call)
    {
        var signed = SignedRequest.Read(http.Request);
        var body = await ReadBody(http.Request, http.RequestAborted);
        (call.Api, call.Operation) = selector.Select(http.Request, signed, body.Span);
        if (signed is null)
            throw Api.Refuse.MissingAuthentication("Missing Authentication Token");
        var (caller, content) = await verifier.Verify(http.Request, signed, body, http.RequestAborted);
        if (call.Operation is not { } operation)
            throw Api.Refuse.UnknownOperation($"{http.Request.Method} {http.Request.Path} is no operation that this platform serves. docs/coverage.md lists those it does.");
        using var activity = Trace.StartActivity(operation.Name, ActivityKind.Server);
        activity?.SetTag("rpc.service", operation.Api.Name).SetTag("althing.request_id", call.RequestId);
        if (!throttle.TryTake(caller.Account, operation))
            throw operation.Api.Throttled();
        if (content.Length > operation.Api.BodyBytesMax)
            throw operation.Api.Invalid($"The body has {content.Length} bytes: {operation.Api.BodyBytesMax} are allowed.");
        var protocol = Protocol.Of(operation.Api);
        var members = protocol.Read(operation, http.Request, content.Span);
        var response = await Run(operation, members, caller, http, call.RequestId);
        await protocol.Write(operation, response, http.Response, http.RequestAborted);
    }

    async ValueTask<object> Run(OperationInfo operation, JsonObject members, Caller caller, HttpContext http, string requestId)
    {
        var origin = new RequestOrigin(http.Connection.RemoteIpAddress?.ToString(), http.Request.Headers.UserAgent.ToString(), requestId);
        try
        {
            var response = await runner.Run(operation, members, caller, http.RequestAborted);
            if (!operation.IsReadOnly)
                await audit.Note(operation, caller, members, null, origin);
            return response;
        }
        catch (ServiceException refusal) when (!operation.IsReadOnly)
        {
            await audit.Note(operation, caller, members, refusal.Code, origin);
            throw;
        }
    }

    static async ValueTask<ReadOnlyMemory<byte>> ReadBody(HttpRequest request, CancellationToken cancel)
    {
        if (request.ContentLength == 0)
            return default;
        if (request.ContentLength > BodyBytesMax)
            throw new ServiceException("RequestEntityTooLargeException", 413, $"The body has {request.ContentLength} bytes: {BodyBytesMax} are allowed.");
        var buffer = new ArrayBufferWriter<byte>((int)(request.ContentLength ?? 4096));
        try
        {
            while (true)
            {
                var read = await request.Body.ReadAsync(buffer.GetMemory(4096), cancel);
                if (read == 0)
                    return buffer.WrittenMemory;
                buffer.Advance(read);
                if (buffer.WrittenCount > BodyBytesMax)
                    throw new ServiceException("RequestEntityTooLargeException", 413, $"The body is longer than the {BodyBytesMax} bytes that are allowed.");
            }
        }
        catch (BadHttpRequestException bad)
        {
            throw new ServiceException("InvalidRequestException", bad.StatusCode, "The body did not arrive whole: its length is not what the headers say.");
        }
    }

    static async Task Refuse(HttpContext http, Call call, ServiceException refusal)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        if (refusal.RetryAfter is { } wait)
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Protocol protocol = call.Api is { } api ? Protocol.Of(api) : RestJson.Instance;
        await protocol.WriteRefusal(refusal, call.Api!, call.RequestId, http.Response, CancellationToken.None);
    }

    [LoggerMessage(1, LogLevel.Error, "Request {RequestId} ({Operation}) failed")]
    static partial void LogFailure(ILogger logger, Exception failure, string requestId, string operation);
}

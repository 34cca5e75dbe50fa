using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Althing.Api;
using Althing.Api.Protocols;
using Althing.Api.SigV4;
using Althing.ObjectStore.Objects;
using Microsoft.Extensions.Logging;

namespace Althing.ObjectStore.Elsewhere;

/// <summary>Carries out operations at another service that speaks S3, signed with the platform's own keys.</summary>
sealed partial class RemoteStore : IDisposable
{
    const int AttemptsMax = 3;

    /// <summary>Requests under way at once, among them those of clients that read slowly; further ones wait, no longer than the service may be silent.</summary>
    const int ConnectionsMax = 2048;

    /// <summary>The largest answers are lists of a thousand keys of 1024 bytes, percent-encoded.</summary>
    const int AnswerBytesMax = 16 * 1024 * 1024;

    static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);
    static readonly TimeSpan AddressLifetime = TimeSpan.FromMinutes(2);
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    /// <summary>As long as the AWS tools wait for an answer. Copies of gigabytes send spaces meanwhile.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(60);

    static readonly Meter Meter = new("Althing.ObjectStore");
    static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("althing.objects.elsewhere.duration", "s", "Time of calls to the service that objects are kept at");

    /// <summary>The only headers that go on, by what follows <c>x-amz-</c>: all goes with the platform's rights, which are more than the caller's.</summary>
    static readonly string[] HeadersSentOn =
    [
        "meta-", "checksum-", "sdk-checksum-algorithm", "tagging", "metadata-directive", "copy-source-if-", "copy-source-range", "mp-object-size",
    ];

    readonly HttpClient http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = ConnectMax,
        PooledConnectionLifetime = AddressLifetime,
        MaxConnectionsPerServer = ConnectionsMax,
        RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8,
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    readonly ObjectEndpoint endpoint;
    readonly SigV4Signer signer;
    readonly TimeProvider time;
    readonly ILogger<RemoteStore> log;

    /// <summary>Names this process, to know a request that comes back.</summary>
    readonly string via = $"1.1 althing-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
    int failing;

    public RemoteStore(ObjectEndpoint endpoint, TimeProvider time, ILogger<RemoteStore> log)
    {
        (this.endpoint, this.time, this.log) = (endpoint, time, log);
        signer = new(endpoint.AccessKeyId, endpoint.SecretAccessKey, endpoint.Region, "s3", time, endpoint.SessionToken?.Value);
    }

    public string Region => endpoint.Region;

    /// <exception cref="ServiceException">The request was sent by this very process: the platform would ask itself for ever.</exception>
    public void RefuseOwn(S3Request request)
    {
        if (request.Via?.Contains(via, StringComparison.Ordinal) == true)
            throw Refuse.InvalidRequest("The platform is told by --objects to keep objects at itself. Give another service's address.");
    }

    /// <summary>Carries out one operation. Repeats it when the service is briefly not there, unless content has been sent already.</summary>
    /// <exception cref="ServiceException">What the service refused; ServiceUnavailable or InternalError when it does not do its part.</exception>
    public async ValueTask<object> Call(OperationInfo operation, S3Request request, CancellationToken cancel)
    {
        var sent = request with { Amz = SentOn(request), Via = via };
        if (sent is MakingRequest making)
            sent = making with { ContentEncoding = making.Headers().ContentEncoding };
        using var upload = request is IStreamedRequest { Content: { } content } ? new OutgoingContent(content, request) : null;
        var began = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var answer = await Try(operation, sent, upload, cancel);
                Note(operation, began, "well");
                return answer;
            }
            catch (RemoteFailure failure) when (failure.MayPass && attempt < AttemptsMax && upload?.IsBegun != true)
            {
                await Task.Delay(FirstPause * Math.Pow(4, attempt - 1), time, cancel);
            }
            catch (RemoteFailure failure)
            {
                Note(operation, began, failure.Refusal.Code, failure);
                throw failure.Refusal;
            }
        }
    }

    static Dictionary<string, string> SentOn(S3Request request)
    {
        var sent = request.Amz.Where(h => Array.Exists(HeadersSentOn, p => p.EndsWith('-') ? h.Key.StartsWith(p, StringComparison.Ordinal) : h.Key == p)).ToDictionary();
        if (request is CopyObjectRequest or Uploads.UploadPartCopyRequest)
            sent["copy-source"] = CopySource.Parse(request.Amz).ToHeader();
        if (request is CopyObjectRequest && request.Amz.TryGetValue("tagging-directive", out var directive))
            sent["tagging-directive"] = directive;
        return sent;
    }

    async ValueTask<object> Try(OperationInfo operation, S3Request request, OutgoingContent? upload, CancellationToken cancel)
    {
        var patience = new Patience(SilenceMax, time, cancel);
        HttpResponseMessage? answer = null;
        var handedOver = false;
        try
        {
            using var message = RestXmlCall.Write(operation, request, endpoint.Address, upload?.Body(patience));
            await Sign(message, upload);
            patience.Begin();
            answer = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var read = await Read(operation, request, answer, patience);
            handedOver = read is IStreamedResponse { Content: not null };
            return read;
        }
        catch (Exception failure) when (upload?.Failure is { } own && failure is not RemoteFailure)
        {
            ExceptionDispatchInfo.Throw(own);
            throw;
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            throw RemoteFailure.Silent(SilenceMax);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw RemoteFailure.Broken(failure);
        }
        finally
        {
            if (!handedOver)
            {
                answer?.Dispose();
                patience.Dispose();
            }
        }
    }

    async ValueTask Sign(HttpRequestMessage message, OutgoingContent? upload)
    {
        upload?.Describe(message);
        var body = upload is null && message.Content is { } small ? await small.ReadAsByteArrayAsync() : [];
#pragma warning disable CA5351 // What S3 asks for with a list to delete, against damage on the way.
        if (body.Length > 0)
            message.Content!.Headers.ContentMD5 = MD5.HashData(body);
#pragma warning restore CA5351
        signer.Sign(message, body);
    }

    static async ValueTask<object> Read(OperationInfo operation, S3Request request, HttpResponseMessage answer, Patience patience)
    {
        var status = (int)answer.StatusCode;
        if (status is not (>= 200 and < 300 or 304))
            throw RemoteFailure.Of(answer, await ReadAll(answer, patience), request);
        try
        {
            if (operation.ResponseType == typeof(ReadResponse))
                return Content(operation, (ReadResponse)RestXmlCall.Read(operation, answer, default), answer, patience);
            var body = await ReadAll(answer, patience);
            // Long operations answer 200 before they know how they end.
            if (RestXmlCall.ReadRefusal(500, body) is { } late)
                throw new RemoteFailure(late, $"answered {late.Code} behind a 200", mayPass: true);
            if (answer.Content.Headers.ContentType?.MediaType == "text/html")
                throw RemoteFailure.Nonsense($"answered {operation.Name} with a page of HTML");
            return RestXmlCall.Read(operation, answer, body);
        }
        catch (FormatException wrong)
        {
            throw RemoteFailure.Nonsense(wrong.Message, wrong);
        }
    }

    static ReadResponse Content(OperationInfo operation, ReadResponse read, HttpResponseMessage answer, Patience patience)
    {
        if (read.Status == 304)
            return read;
        var length = answer.Content.Headers.ContentLength ?? throw RemoteFailure.Nonsense("sends an object without saying how long it is");
        return read with { ContentLength = length, Content = operation.Method == "HEAD" ? null : new RemoteContent(answer, patience, SilenceMax) };
    }

    static async ValueTask<ReadOnlyMemory<byte>> ReadAll(HttpResponseMessage answer, Patience patience)
    {
        await using var body = await answer.Content.ReadAsStreamAsync(patience.Token);
        using var whole = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await body.ReadAsync(buffer, patience.Token)) > 0;)
        {
            whole.Write(buffer, 0, read);
            if (whole.Length > AnswerBytesMax)
                throw RemoteFailure.Nonsense($"answers with more than {AnswerBytesMax} bytes where there are no such answers");
            patience.Begin();
        }
        return whole.ToArray();
    }

    /// <summary>Counts each call; says once that the service fails, and once that it is well again.</summary>
    void Note(OperationInfo operation, long began, string outcome, RemoteFailure? failure = null)
    {
        Duration.Record(time.GetElapsedTime(began).TotalSeconds, new TagList { { "operation", operation.Name }, { "outcome", outcome } });
        if (failure?.Log is { } why)
        {
            if (Interlocked.Exchange(ref failing, 1) == 0)
                LogFailing(log, endpoint.Address, why);
        }
        else if (Interlocked.Exchange(ref failing, 0) == 1)
        {
            LogWell(log, endpoint.Address);
        }
    }

    public void Dispose() => http.Dispose();

    [LoggerMessage(1, LogLevel.Warning, "The service at {Address}, where objects are kept, {Why}. Further failures are counted and not written here until it does its part")]
    static partial void LogFailing(ILogger logger, Uri address, string why);

    [LoggerMessage(2, LogLevel.Information, "The service at {Address}, where objects are kept, does its part again")]
    static partial void LogWell(ILogger logger, Uri address);
}

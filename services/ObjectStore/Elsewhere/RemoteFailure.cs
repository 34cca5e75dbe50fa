using Althing.Api;
using Althing.Api.Protocols;
using Althing.ObjectStore.Objects;

namespace Althing.ObjectStore.Elsewhere;

/// <summary>A call to another service that did not bring what was asked for.</summary>
/// <param name="refusal">What the client is told.</param>
/// <param name="log">What the operator is told; null for refusals that are the client's own business.</param>
/// <param name="mayPass">Whether the same call may succeed a moment later.</param>
sealed class RemoteFailure(ServiceException refusal, string? log, bool mayPass, Exception? cause = null) : Exception(refusal.Message, cause)
{
    /// <summary>Refusals of the platform's own signature, in which the client has no part.</summary>
    static readonly HashSet<string> Ours = new(StringComparer.Ordinal)
    {
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "AuthorizationHeaderMalformed",
        "AccountProblem", "NotSignedUp", "AllAccessDisabled", "InvalidSecurity",
    };

    public ServiceException Refusal => refusal;
    public string? Log => log;
    public bool MayPass => mayPass;

    public static RemoteFailure Silent(TimeSpan max) => new(Refuse.ServiceUnavailable(), $"was silent for {max.TotalSeconds} seconds", mayPass: false);

    public static RemoteFailure Broken(Exception cause) => new(Refuse.ServiceUnavailable(), $"could not be reached: {cause.Message}", mayPass: true, cause);

    public static RemoteFailure Nonsense(string what, Exception? cause = null) => new(Refuse.InternalError(), what, mayPass: false, cause);

    /// <summary>What an answer without success means.</summary>
    public static RemoteFailure Of(HttpResponseMessage answer, ReadOnlyMemory<byte> body, S3Request request)
    {
        var status = (int)answer.StatusCode;
        if (status is >= 300 and < 400)
            return Nonsense($"answered {status} and points to '{answer.Headers.Location}'. Nothing is sent there: give the address and the region where the buckets are");
        var said = RestXmlCall.ReadRefusal(status, body);
        if (said is not null && Ours.Contains(said.Code))
            return Nonsense($"does not take the platform's keys: {said.Code}: {said.Message}");
        if (status >= 500 || status == 429)
            return new(said is { Code: "SlowDown" or "InternalError" or "NotImplemented" } ? said : Refuse.ServiceUnavailable(), $"answered {status} {said?.Code}", mayPass: status != 501);
        if (said is not null)
            return new(said, null, mayPass: false);
        return WithoutBody(status, request) is { } meant ? new(meant, null, mayPass: false) : Nonsense($"answered {status} without an error of S3");
    }

    /// <summary>Answers to HEAD have no body to say it.</summary>
    static ServiceException? WithoutBody(int status, S3Request request) => (status, request) switch
    {
        (404, ReadRequest { VersionId: { } version } read) => Refuse.NoSuchVersion(read.Key, version),
        (404, ObjectRequest named) => Refuse.NoSuchKey(named.Key),
        (404, BucketRequest named) => Refuse.NoSuchBucket(named.Bucket),
        (403, _) => Refuse.AccessDenied("Access Denied"),
        (405, _) => Refuse.MarkerNotAllowed(),
        (412, _) => Refuse.PreconditionFailed("If-Match or If-Unmodified-Since"),
        (416, ReadRequest read) => Refuse.InvalidRange(read.Range ?? "", 0),
        (400, _) => Refuse.InvalidRequest("The request cannot be understood."),
        _ => null,
    };
}

namespace Althing.Api;

/// <summary>A refusal with the name, status and members that the API's model gives it. Made only by an API's <c>Refuse</c> class.</summary>
/// <param name="code">The exception's name in the model, such as <c>ResourceNotFoundException</c>.</param>
/// <param name="message">For the client: what was wrong, with the value, and what to do.</param>
/// <param name="fields">Further modelled members, such as <c>resourceArn</c>.</param>
public sealed class ServiceException(string code, int status, string message, params IReadOnlyList<(string Name, string? Value)> fields)
    : Exception(message)
{
    public string Code { get; } = code;
    public int Status { get; } = status;
    public IReadOnlyList<(string Name, string? Value)> Fields { get; } = fields;

    /// <summary>For throttling: how long the client should wait.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>Refusals that are the same in every API because the front door makes them.</summary>
public static class Refuse
{
    public static ServiceException AccessDenied(string message) => new("AccessDeniedException", 403, message);

    public static ServiceException MissingAuthentication(string message) => new("MissingAuthenticationTokenException", 403, message);

    public static ServiceException UnrecognizedClient() =>
        new("UnrecognizedClientException", 403, "The security token included in the request is invalid.");

    public static ServiceException InvalidSignature(string message) => new("InvalidSignatureException", 403, message);

    public static ServiceException IncompleteSignature(string message) => new("IncompleteSignatureException", 403, message);

    public static ServiceException ExpiredToken() =>
        new("ExpiredTokenException", 403, "The security token included in the request is expired. Get new credentials.");

    public static ServiceException UnknownOperation(string message) => new("UnknownOperationException", 404, message);

    public static ServiceException Throttling() => new("ThrottlingException", 429, "Rate exceeded. Wait and try again.");

    public static ServiceException Unavailable(string message) => new("ServiceUnavailableException", 503, message);

    public static ServiceException InternalFailure(string requestId) =>
        new("InternalFailureException", 500, $"The platform failed to answer. Its log has the cause under request id {requestId}.");
}

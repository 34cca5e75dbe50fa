using Althing.Api;

namespace Althing.Core.Shadows;

/// <summary>Why a request to a shadow is refused; over MQTT its code and message go to <c>/rejected</c> ("Device Shadow error messages").</summary>
sealed class ShadowRefusal(int code, string message) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>The token of the request, where it could be read.</summary>
    public string? ClientToken { get; init; }

    /// <summary>The exception that the data plane's model has for it.</summary>
    public ServiceException ToServiceException() => new(
        Code switch
        {
            404 => "ResourceNotFoundException",
            409 => "ConflictException",
            413 => "RequestEntityTooLargeException",
            415 => "UnsupportedDocumentEncodingException",
            429 => "ThrottlingException",
            _ => "InvalidRequestException",
        }, Code, Message);

    public static ShadowRefusal NotFound(string shadowName) => new(404, $"No shadow exists with name: '{shadowName}'");
}

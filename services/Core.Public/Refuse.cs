using Althing.Api;

namespace Althing.Core;

/// <summary>The exceptions that the IoT control plane's model knows.</summary>
public static class Refuse
{
    public static ServiceException InvalidRequest(string message) => new("InvalidRequestException", 400, message);

    public static ServiceException MalformedPolicy(string message) => new("MalformedPolicyException", 400, message);

    public static ServiceException CertificateValidation(string message) => new("CertificateValidationException", 400, message);

    public static ServiceException RegistrationCodeValidation(string message) => new("RegistrationCodeValidationException", 400, message);

    public static ServiceException InvalidQuery(string message) => new("InvalidQueryException", 400, message);

    public static ServiceException Unauthorized(string message) => new("UnauthorizedException", 401, message);

    public static ServiceException TransferConflict(string message) => new("TransferConflictException", 409, message);

    public static ServiceException TransferAlreadyCompleted(string message) => new("TransferAlreadyCompletedException", 410, message);

    public static ServiceException ResourceNotFound(string message) => new("ResourceNotFoundException", 404, message);

    public static ServiceException ResourceAlreadyExists(string message, string? id, string? arn) =>
        new("ResourceAlreadyExistsException", 409, message, ("resourceId", id), ("resourceArn", arn));

    public static ServiceException VersionConflict(string message) => new("VersionConflictException", 409, message);

    public static ServiceException DeleteConflict(string message) => new("DeleteConflictException", 409, message);

    public static ServiceException ConflictingResourceUpdate(string message) => new("ConflictingResourceUpdateException", 409, message);

    public static ServiceException ResourceRegistrationFailure(string message) => new("ResourceRegistrationFailureException", 400, message);

    public static ServiceException CertificateConflict(string message) => new("CertificateConflictException", 409, message);

    public static ServiceException InvalidStateTransition(string message) => new("InvalidStateTransitionException", 409, message);

    public static ServiceException TerminalState(string message) => new("TerminalStateException", 410, message);

    public static ServiceException CertificateState(string message) => new("CertificateStateException", 406, message);

    public static ServiceException VersionsLimitExceeded(string message) => new("VersionsLimitExceededException", 409, message);

    public static ServiceException LimitExceeded(string message) => new("LimitExceededException", 410, message);

    public static ServiceException InvalidResponse(string message) => new("InvalidResponseException", 400, message);

    public static ServiceException Validation(string message) => new("ValidationException", 400, message);

    public static ServiceException Conflict(string message, string? id = null) => new("ConflictException", 409, message, ("resourceId", id));

    public static ServiceException ServiceQuotaExceeded(string message) => new("ServiceQuotaExceededException", 402, message);

    public static ServiceException Forbidden(string message) => new("ForbiddenException", 403, message);

    public static ServiceException NotConfigured(string message) => new("NotConfiguredException", 404, message);

    /// <summary>The data plane's, whose status differs from the control plane's.</summary>
    public static ServiceException TooManyCalls(string message) => new("ThrottlingException", 429, message);

    public static ServiceException Throttling(string message) => new("ThrottlingException", 400, message);
}

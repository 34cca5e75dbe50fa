using Althing.Api;

namespace Althing.Iam;

/// <summary>The exceptions of IAM and STS, by the codes that go over the wire.</summary>
static class Refuse
{
    public static ServiceException Validation(string message) => new("ValidationError", 400, message);

    public static ServiceException Throttling() => new("Throttling", 400, "Rate exceeded. Wait and try again.");

    public static ServiceException InvalidInput(string message) => new("InvalidInput", 400, message);

    public static ServiceException MalformedPolicy(string message) => new("MalformedPolicyDocument", 400, message);

    public static ServiceException NoSuchEntity(string message) => new("NoSuchEntity", 404, message);

    public static ServiceException EntityAlreadyExists(string message) => new("EntityAlreadyExists", 409, message);

    public static ServiceException DeleteConflict(string message) => new("DeleteConflict", 409, message);

    public static ServiceException LimitExceeded(string message) => new("LimitExceeded", 409, message);

    public static ServiceException AccountAlreadyExists(string message) => new("AccountAlreadyExistsException", 409, message);

    public static ServiceException AccessDenied(string message) => new("AccessDenied", 403, message);
}

using System.Text.Json.Nodes;

namespace Althing.Core.Provisioning.Fleet;

/// <summary>Why a device's request is refused, as its <c>/rejected</c> topic says it ("Device provisioning MQTT API").</summary>
sealed class FleetRefusal(int status, string code, string message) : Exception(message)
{
    public int Status => status;

    public string Code => code;

    public JsonObject Document => new() { ["statusCode"] = status, ["errorCode"] = code, ["errorMessage"] = Message };

    public static FleetRefusal InvalidPayload(string message) => new(400, "InvalidPayload", message);

    public static FleetRefusal InvalidCsr(string message) => new(400, "InvalidCsr", message);

    public static FleetRefusal InvalidParameters(string message) => new(400, "InvalidParameters", message);

    /// <summary>Says nothing of why: a token that was stolen and one that was used look alike.</summary>
    public static FleetRefusal InvalidToken() =>
        new(400, "InvalidCertificateOwnershipToken", "The certificate ownership token is not valid, has expired, or was used. Create another certificate.");

    public static FleetRefusal AccessDenied(string message) => new(403, "AccessDenied", message);

    public static FleetRefusal ResourceNotFound(string message) => new(404, "ResourceNotFound", message);

    public static FleetRefusal Conflict(string message) => new(409, "ResourceConflict", message);

    public static FleetRefusal TooMany() => new(429, "TooManyRequests", "Too many devices ask for certificates at once. Wait and try again.");

    public static FleetRefusal Internal() => new(500, "InternalFailure", "The request could not be carried out. Try again.");
}

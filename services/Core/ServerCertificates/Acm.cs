using Althing.Api;

namespace Althing.Core.ServerCertificates;

/// <summary>As much of AWS Certificate Manager ("ACM API Reference", 2015-12-08) as custom domains need: certificates that were imported.</summary>
public sealed class Acm : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "acm",
        Protocol = WireProtocol.AwsJson11,
        SigningNames = ["acm"],
        HostPrefixes = ["acm"],
        TargetPrefix = "CertificateManager",
        Json = WireJson.AsDeclared,
        Invalid = RefuseAcm.Validation,
        Throttled = () => new("ThrottlingException", 400, "Too many calls of this operation. Wait and try again."),
    };
}

/// <summary>The exceptions of ACM's model.</summary>
static class RefuseAcm
{
    public static ServiceException Validation(string message) => new("ValidationException", 400, message);

    public static ServiceException InvalidArn(string message) => new("InvalidArnException", 400, message);

    public static ServiceException NotFound(string message) => new("ResourceNotFoundException", 400, message);

    public static ServiceException InUse(string message) => new("ResourceInUseException", 400, message);

    public static ServiceException LimitExceeded(string message) => new("LimitExceededException", 400, message);
}

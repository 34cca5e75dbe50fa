using Althing.Api;

namespace Althing.Iam;

/// <summary>AWS Identity and Access Management ("IAM API Reference", 2010-05-08).</summary>
public sealed class IamApi : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "iam",
        Protocol = WireProtocol.AwsQuery,
        SigningNames = ["iam"],
        HostPrefixes = ["iam"],
        QueryVersion = "2010-05-08",
        XmlNamespace = "https://iam.amazonaws.com/doc/2010-05-08/",
        Json = WireJson.AsDeclared,
        Invalid = Refuse.Validation,
        Throttled = Refuse.Throttling,
    };
}

/// <summary>AWS Security Token Service ("AWS STS API Reference", 2011-06-15).</summary>
public sealed class StsApi : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "sts",
        Protocol = WireProtocol.AwsQuery,
        SigningNames = ["sts"],
        HostPrefixes = ["sts"],
        QueryVersion = "2011-06-15",
        XmlNamespace = "https://sts.amazonaws.com/doc/2011-06-15/",
        Json = WireJson.AsDeclared,
        Invalid = Refuse.Validation,
        Throttled = Refuse.Throttling,
    };
}

/// <summary>What AWS has no operation for: the accounts of this platform.</summary>
public sealed class AlthingApi : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "althing",
        Protocol = WireProtocol.AwsJson11,
        SigningNames = ["althing"],
        HostPrefixes = ["althing"],
        TargetPrefix = "Althing",
        Invalid = m => new("ValidationException", 400, m),
        Throttled = () => new("ThrottlingException", 400, "Rate exceeded. Wait and try again."),
    };
}

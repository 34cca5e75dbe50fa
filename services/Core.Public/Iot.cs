using Althing.Api;

namespace Althing.Core;

/// <summary>The control plane of AWS IoT Core ("AWS IoT API Reference", 2015-05-28).</summary>
public sealed class Iot : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "iot",
        Protocol = WireProtocol.RestJson,
        SigningNames = ["iot", "execute-api"],
        HostPrefixes = ["iot"],
        Invalid = Refuse.InvalidRequest,
        Throttled = () => Refuse.Throttling("Too many calls of this operation. Wait and try again."),
    };
}

/// <summary>The data plane of AWS IoT Core ("AWS IoT Data API Reference", 2015-05-28).</summary>
public sealed class IotData : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "iot-data",
        Protocol = WireProtocol.RestJson,
        SigningNames = ["iotdata", "iotdevicegateway"],
        HostPrefixes = ["data-ats.iot", "data.iot"],
        AllowsCertificates = true,
        Invalid = Refuse.InvalidRequest,
        Throttled = () => Refuse.TooManyCalls("Too many calls of this operation. Wait and try again."),
    };
}

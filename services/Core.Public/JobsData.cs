using Althing.Api;

namespace Althing.Core;

/// <summary>What devices ask of their jobs over HTTPS ("AWS IoT Jobs Data Plane API Reference", 2017-09-29).</summary>
public sealed class JobsData : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "iot-jobs-data",
        Protocol = WireProtocol.RestJson,
        SigningNames = ["iot-jobs-data", "iotjobsdata"],
        HostPrefixes = ["data.jobs.iot", "jobs.iot"],
        AllowsCertificates = true,
        Invalid = Refuse.InvalidRequest,
        Throttled = () => Refuse.TooManyCalls("Too many calls of this operation. Wait and try again."),
    };
}

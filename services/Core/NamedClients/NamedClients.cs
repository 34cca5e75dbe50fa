using Althing.Api;
using Althing.Identity;

namespace Althing.Core.NamedClients;

/// <summary>What AWS has no operation for: names and passwords for clients of the plain MQTT listener.</summary>
public sealed class NamedClientsApi : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "althing-mqtt",
        Protocol = WireProtocol.AwsJson11,
        SigningNames = ["althing"],
        TargetPrefix = "AlthingMqtt",
        Invalid = Refuse.InvalidRequest,
        Throttled = () => Refuse.Throttling("Too many calls of this operation. Wait and try again."),
    };

    internal static string Arn(string name, Caller caller) => caller.ArnOf("iot", "mqtt-user/" + name);
}

using Althing.Mqtt;
using Xunit.v3;

namespace Althing.Tests.Broker.Conformance;

/// <summary>Names the normative statements of one version of MQTT that a test holds the broker to, without their prefix <c>MQTT-</c>.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
sealed class NormativeAttribute(MqttVersion version, params string[] statements) : Attribute, ITraitAttribute
{
    public MqttVersion Version { get; } = version;
    public IReadOnlyList<string> Statements { get; } = statements;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [.. Statements.Select(s => new KeyValuePair<string, string>(Name(Version), "MQTT-" + s))];

    public static string Name(MqttVersion version) => version == MqttVersion.V5 ? "MQTT 5.0" : "MQTT 3.1.1";
}

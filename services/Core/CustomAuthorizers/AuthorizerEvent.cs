using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Althing.Core.CustomAuthorizers;

/// <summary>The JSON that the function gets ("Defining your Lambda function"). What does not concern the connection is left out.</summary>
sealed record AuthorizerEvent
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string? Token { get; init; }
    public required bool SignatureVerified { get; init; }
    public required IReadOnlyList<string> Protocols { get; init; }
    public required Data ProtocolData { get; init; }
    public required Metadata ConnectionMetadata { get; init; }

    public sealed record Data(TlsData? Tls, HttpData? Http, MqttData? Mqtt);

    public sealed record TlsData(string? ServerName)
    {
        [JsonPropertyName("x509CertificatePem")]
        public string? CertificatePem { get; init; }
        public string? PrincipalId { get; init; }
    }

    public sealed record HttpData(IReadOnlyDictionary<string, string> Headers, string? QueryString);

    public sealed record MqttData(string? Username, string? Password, string? ClientId);

    public sealed record Metadata(Guid Id);

    public static byte[] Write(AuthorizerInput input, string? token, bool signatureVerified)
    {
        List<string> protocols = [];
        if (input.IsSecure)
            protocols.Add("tls");
        if (input.Http is not null)
            protocols.Add("http");
        if (input.Mqtt is not null)
            protocols.Add("mqtt");
        return JsonSerializer.SerializeToUtf8Bytes(new AuthorizerEvent
        {
            Token = token,
            SignatureVerified = signatureVerified,
            Protocols = protocols,
            ProtocolData = new(TlsOf(input), HttpOf(input), MqttOf(input)),
            ConnectionMetadata = new(input.ConnectionId),
        }, Json);
    }

    static TlsData? TlsOf(AuthorizerInput input) => input.IsSecure
        ? new(input.ServerName) { CertificatePem = input.Certificate?.Pem, PrincipalId = input.Certificate?.PrincipalId }
        : null;

    static HttpData? HttpOf(AuthorizerInput input)
    {
        if (input.Http is not { } http)
            return null;
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in http.Headers)
            headers[name] = headers.TryGetValue(name, out var before) ? $"{before},{value}" : value;
        return new(headers, http.QueryString.Length > 0 ? http.QueryString : null);
    }

    static MqttData? MqttOf(AuthorizerInput input) => input.Mqtt is { } mqtt
        ? new(mqtt.UserName, mqtt.Password.IsEmpty ? null : Convert.ToBase64String(mqtt.Password.Span), mqtt.ClientId.Length > 0 ? mqtt.ClientId : null)
        : null;
}

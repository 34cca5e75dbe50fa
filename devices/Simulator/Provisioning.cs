using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Api.SigV4;
using Althing.Identity;

namespace Althing.Simulator;

/// <summary>Makes a fleet's type, group, policy, things and certificates by API calls, once; what is there is left as it is.</summary>
sealed class Provisioning(DemoOptions options, TimeProvider time) : IDisposable
{
    const string PolicyName = "demo-device";

    /// <summary>For the topics that the platform reserves for a device: its shadow and what else is asked of it.</summary>
    const string ReservedPolicyName = "demo-device-reserved";
    static readonly string[] Talk = ["iot:Publish", "iot:Receive"];

    readonly HttpClient http = new();

    string Arn(string account, string resource) => $"arn:aws:iot:{options.Region}:{account}:{resource}";

    public async Task Prepare(Scenario scenario, CancellationToken cancel)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(options.KeyFolder);
        else
            Directory.CreateDirectory(options.KeyFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await Make("POST", $"/thing-types/{scenario.ThingType}", new { thingTypeProperties = new { thingTypeDescription = scenario.Description } }, cancel);
        await Make("POST", "/thing-groups/demo", new { thingGroupProperties = new { thingGroupDescription = "Simulated devices" } }, cancel);
        await Make("POST", $"/thing-groups/{scenario.Group}", new { parentGroupName = "demo", thingGroupProperties = new { thingGroupDescription = scenario.Description } }, cancel);
        var account = ((string)(await Call("GET", "/thing-groups/demo", null, cancel))!["thingGroupArn"]!).Split(':')[4];
        await Make("POST", $"/policies/{PolicyName}", new { policyDocument = Policy(account) }, cancel);
        await Make("POST", $"/policies/{ReservedPolicyName}", new { policyDocument = ReservedPolicy(account) }, cancel);
    }

    /// <summary>Each device speaks for itself alone, by the name of the thing that its certificate is attached to.</summary>
    string Policy(string account) => JsonSerializer.Serialize(new
    {
        Version = "2012-10-17",
        Statement = new object[]
        {
            new { Effect = "Allow", Action = "iot:Connect", Resource = Arn(account, "client/${iot:Connection.Thing.ThingName}") },
            new { Effect = "Allow", Action = Talk, Resource = Arn(account, "topic/demo/*/${iot:Connection.Thing.ThingName}/*") },
            new { Effect = "Allow", Action = "iot:Subscribe", Resource = Arn(account, "topicfilter/demo/*/${iot:Connection.Thing.ThingName}/*") },
        },
    });

    string ReservedPolicy(string account) => JsonSerializer.Serialize(new
    {
        Version = "2012-10-17",
        Statement = new object[]
        {
            new { Effect = "Allow", Action = Talk, Resource = Arn(account, "topic/$aws/things/${iot:Connection.Thing.ThingName}/*") },
            new { Effect = "Allow", Action = "iot:Subscribe", Resource = Arn(account, "topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/*") },
        },
    });

    /// <summary>The device's certificate with its key; thing, certificate and attachments are made when they are missing.</summary>
    public async Task<X509Certificate2> Device(Scenario scenario, string name, int number, CancellationToken cancel)
    {
        var attributes = scenario.Attributes.ToDictionary(a => a.Key, a => a.Value[(number - 1) % a.Value.Count]);
        await Make("POST", $"/things/{name}", new { thingTypeName = scenario.ThingType, attributePayload = new { attributes } }, cancel);
        var (pem, key) = (Path.Combine(options.KeyFolder, name + ".pem"), Path.Combine(options.KeyFolder, name + ".key"));
        var certificate = await Kept(pem, key, cancel) ?? await MakeCertificate(name, pem, key, cancel);
        var id = Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
        var arn = (string)(await Call("GET", $"/certificates/{id}", null, cancel))!["certificateDescription"]!["certificateArn"]!;
        foreach (var policy in new[] { PolicyName, ReservedPolicyName })
            await Call("PUT", $"/target-policies/{policy}", new { target = arn }, cancel);
        await Call("PUT", $"/things/{name}/principals", null, cancel, principal: arn);
        await Call("PUT", "/thing-groups/addThingToThingGroup", new { thingName = name, thingGroupName = scenario.Group }, cancel);
        return certificate;
    }

    /// <summary>What an earlier start made; null when files are missing or damaged, or the platform does not know the certificate any more.</summary>
    async Task<X509Certificate2?> Kept(string pem, string key, CancellationToken cancel)
    {
        if (!File.Exists(pem) || !File.Exists(key))
            return null;
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(pem, key);
            if (await Call("GET", $"/certificates/{Convert.ToHexStringLower(SHA256.HashData(certificate.RawData))}", null, cancel, mayMiss: true) is not null)
                return certificate;
            certificate.Dispose();
            return null;
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The key is made here and never leaves, as on a device with a secure element.</summary>
    async Task<X509Certificate2> MakeCertificate(string name, string pem, string key, CancellationToken cancel)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", pair, HashAlgorithmName.SHA256);
        var answer = await Call("POST", "/certificates?setAsActive=true", new { certificateSigningRequest = request.CreateSigningRequestPem() }, cancel);
        PrivateFile.Write(key, pair.ExportPkcs8PrivateKeyPem() + "\n");
        PrivateFile.Write(pem, (string)answer!["certificatePem"]!);
        return X509Certificate2.CreateFromPemFile(pem, key);
    }

    /// <summary>Creates something that may be there already, perhaps otherwise than we would make it.</summary>
    async Task Make(string method, string path, object body, CancellationToken cancel) => await Call(method, path, body, cancel, mayExist: true);

    async Task<JsonNode?> Call(
        string method, string path, object? body, CancellationToken cancel, bool mayExist = false, bool mayMiss = false, string? principal = null)
    {
        var bytes = body is null ? [] : JsonSerializer.SerializeToUtf8Bytes(body);
        using var request = new HttpRequestMessage(new(method), new Uri(options.ApiEndpoint, path));
        if (bytes.Length > 0)
            request.Content = new ByteArrayContent(bytes) { Headers = { ContentType = new("application/json") } };
        if (principal is not null)
            request.Headers.TryAddWithoutValidation("x-amzn-principal", principal);
        new SigV4Signer(options.AccessKeyId, options.SecretAccessKey, options.Region, "iot", time).Sign(request, bytes);
        using var response = await http.SendAsync(request, cancel);
        var text = await response.Content.ReadAsStringAsync(cancel);
        if (response.IsSuccessStatusCode)
            return text.Length > 0 ? JsonNode.Parse(text) : new JsonObject();
        if ((mayExist && response.StatusCode == HttpStatusCode.Conflict) || (mayMiss && response.StatusCode == HttpStatusCode.NotFound))
            return null;
        throw new HttpRequestException($"{method} {path} answered {(int)response.StatusCode}: {text}");
    }

    public void Dispose() => http.Dispose();
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Althing.Api.SigV4;
using Althing.Tests.Tidy;

namespace Althing.Tests.Clients;

/// <summary>Real clients by every door of the platform as a user runs it.</summary>
public sealed class DoorTests
{
    const string Policy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}""";

    static string NodeFolder => Path.Combine(Repository.Root, "tests", "Clients", "node");

    /// <summary>Runs a JavaScript client and answers what came back to it.</summary>
    static async Task<string> Node(House house, string kind, Dictionary<string, object?> wish)
    {
        Tool.Need("node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(NodeFolder, "node_modules")), "The JavaScript clients are not installed: 'npm ci' in tests/Clients/node.");
        (wish["clientId"], wish["topic"], wish["payload"], wish["ca"]) = ("js-" + kind, "from/js", "hello from " + kind, Path.Combine(house.Data, "ca.pem"));
        (wish["host"], wish["region"]) = ("localhost", "eu-west-1");
        return (await house.Run("node", Path.Combine(NodeFolder, "connect.js"), kind, JsonSerializer.Serialize(wish))).Output.Trim();
    }

    static (string Id, string Secret) Key(House house)
    {
        var lines = File.ReadAllLines(Path.Combine(house.Data, "credentials"));
        string Value(string name) => lines.First(l => l.StartsWith(name, StringComparison.Ordinal)).Split('=', 2)[1].Trim();
        return (Value("aws_access_key_id"), Value("aws_secret_access_key"));
    }

    static Uri Presigned(House house, string scheme, int port)
    {
        var (id, secret) = Key(house);
        return new SigV4Signer(id, new(secret), "eu-west-1", "iotdevicegateway", TimeProvider.System).Presign("GET", new($"{scheme}://localhost:{port}/mqtt"), TimeSpan.FromMinutes(5));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Mqtt_js_comes_over_a_signed_WebSocket(int version)
    {
        await using var house = await House.Up();
        Assert.Equal("from/js hello from mqttjs", await Node(house, "mqttjs", new() { ["url"] = Presigned(house, "ws", house.HttpPort), ["version"] = version }));
        Assert.Equal("from/js hello from mqttjs", await Node(house, "mqttjs", new() { ["url"] = Presigned(house, "wss", house.HttpsPort), ["version"] = version }));
    }

    [Theory]
    [InlineData("sdk5")]
    [InlineData("sdk3")]
    public async Task The_device_SDK_signs_its_WebSocket_and_comes_with_a_certificate(string kind)
    {
        await using var house = await House.Up();
        var (id, secret) = Key(house);
        Assert.Equal("from/js hello from " + kind, await Node(house, kind, new() { ["how"] = "sigv4", ["port"] = house.HttpsPort, ["keyId"] = id, ["secret"] = secret }));
        var device = await house.Device("js");
        foreach (var port in new[] { house.MqttsPort, house.HttpsPort })
            Assert.Equal("from/js hello from " + kind, await Node(house, kind, new() { ["how"] = "certificate", ["port"] = port, ["certificate"] = device.Certificate, ["key"] = device.Key }));
    }

    [Theory]
    [InlineData("authorizer")]
    [InlineData("authorizer-websocket")]
    public async Task The_device_SDK_comes_with_a_custom_authorizer(string how)
    {
        await using var house = await House.Up();
        await using var function = new Function($$"""{"isAuthenticated":true,"principalId":"someone","policyDocuments":[{{Policy}}],"disconnectAfterInSeconds":3600,"refreshAfterInSeconds":300}""");
        using var key = RSA.Create(2048);
        Assert.Equal(200, (await house.Call(HttpMethod.Post, "/authorizer/judge", new
        {
            authorizerFunctionArn = function.Address, tokenKeyName = "tok", tokenSigningPublicKeys = new { k = key.ExportSubjectPublicKeyInfoPem() },
        })).Status);
        var signature = Convert.ToBase64String(key.SignData("a token"u8, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        Assert.Equal("from/js hello from sdk5", await Node(house, "sdk5", new()
        {
            ["how"] = how, ["port"] = house.HttpsPort, ["authorizer"] = "judge", ["password"] = "word", ["tokenKey"] = "tok", ["token"] = "a token", ["signature"] = signature,
        }));
    }

    [Fact]
    public async Task Paho_comes_over_a_signed_WebSocket()
    {
        Tool.Need("python3");
        await using var house = await House.Up();
        var python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
        Assert.SkipUnless((await house.TryRun(python, "-c", "import paho.mqtt.client")).ExitCode == 0, "Paho (python3-paho-mqtt) is not installed.");
        const string Program = """
            import sys, ssl
            from urllib.parse import urlsplit
            import paho.mqtt.client as mqtt
            url = urlsplit(sys.argv[1])
            client = mqtt.Client("paho", transport="websockets")
            client.ws_set_options(path=url.path + "?" + url.query, headers={"Host": url.netloc})
            client.tls_set(sys.argv[2])
            client.on_connect = lambda c, u, f, rc: c.subscribe("from/paho", 1) if rc == 0 else sys.exit("refused %d" % rc)
            client.on_subscribe = lambda c, u, mid, qos: c.publish("from/paho", "hello", 1)
            def message(c, u, m):
                print(m.topic, m.payload.decode())
                c.disconnect()
            client.on_message = message
            client.connect(url.hostname, url.port)
            client.loop_forever()
            """;
        var ran = await house.Run(python, "-c", Program, Presigned(house, "wss", house.HttpsPort).AbsoluteUri, Path.Combine(house.Data, "ca.pem"));
        Assert.Equal("from/paho hello", ran.Output.Trim());
    }

    [Theory]
    [InlineData("-tls1_3")]
    [InlineData("-tls1_2")]
    public async Task A_reconnecting_device_resumes_its_TLS_session(string version)
    {
        Tool.Need("openssl", "bash");
        await using var house = await House.Up();
        var device = await house.Device("pump");
        // CONNECT of client id "a", so that the server answers and its ticket has come before the end.
        var script = $"""
            openssl s_client {version} -connect localhost:{house.MqttsPort} -servername localhost -CAfile data/ca.pem -cert {device.Certificate} -key {device.Key} "$@" \
              < <(printf '\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a'; sleep 1) 2>&1
            """;
        async Task<string> Connect(params string[] more) => (await house.TryRun("bash", ["-c", script, "openssl", .. more])).Output;
        Assert.Contains("New, TLS", await Connect("-sess_out", "session.pem"), StringComparison.Ordinal);
        Assert.Contains("Reused, TLS", await Connect("-sess_in", "session.pem"), StringComparison.Ordinal);
        // A resumed session is no way around the registry.
        Assert.Equal(200, (await house.Call(HttpMethod.Put, $"/certificates/{device.Arn.Split('/')[1]}?newStatus=INACTIVE")).Status);
        var refused = await Connect("-sess_in", "session.pem", "-quiet");
        Assert.Contains(" \u0002\u0000\u0005", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Taking_a_certificates_rights_acts_within_a_second_at_every_door()
    {
        Tool.Need("mosquitto_sub", "stdbuf", "curl");
        await using var house = await House.Up();
        var device = await house.Device("pump");
        var alpn = new[] { "-h", "localhost", "-p", house.HttpsPort.ToString(CultureInfo.InvariantCulture), "--tls-alpn", "x-amzn-mqtt-ca", "--cafile", Path.Combine(house.Data, "ca.pem"), "--cert", device.Certificate, "--key", device.Key };
        await using var first = await Listener.Start(house, [.. house.Mosquitto(device, "a"), "-V", "5", "-t", "x"]);
        await using var second = await Listener.Start(house, [.. alpn, "-i", "b", "-V", "5", "-t", "x"]);
        string[] publish = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", Path.Combine(house.Data, "ca.pem"), "--cert", device.Certificate, "--key", device.Key, "-d", "1", $"https://localhost:{house.HttpsPort}/topics/x?qos=1"];
        Assert.Equal("200", (await house.Run("curl", publish)).Output);
        var clock = Stopwatch.StartNew();
        Assert.Equal(200, (await house.Call(HttpMethod.Put, $"/certificates/{device.Arn.Split('/')[1]}?newStatus=REVOKED")).Status);
        await first.Hears("Received DISCONNECT (135)");
        await second.Hears("Received DISCONNECT (135)");
        // Twice what is promised, because this machine may be busy.
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Equal("403", (await house.Run("curl", publish)).Output);
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", [.. house.Mosquitto(device, "a"), "-t", "x", "-m", "1"])).ExitCode);
    }

    [Fact]
    public async Task A_first_connection_registers_a_certificate_of_a_known_CA_and_says_so()
    {
        Tool.Need("mosquitto_pub", "mosquitto_sub", "stdbuf");
        await using var house = await House.Up();
        using var caKey = RSA.Create(2048);
        var request = new CertificateRequest("CN=Factory CA", caKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = DateTimeOffset.UtcNow;
        using var ca = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(100));
        var (registered, answer) = await house.Call(HttpMethod.Post, "/cacertificate?setAsActive=true&allowAutoRegistration=true", new { caCertificate = ca.ExportCertificatePem(), certificateMode = "SNI_ONLY" });
        Assert.True(registered == 200, answer.ToJsonString());
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = new CertificateRequest("CN=pump", key, HashAlgorithmName.SHA256)
            .Create(ca.SubjectName, X509SignatureGenerator.CreateForRSA(caKey, RSASignaturePadding.Pkcs1), now.AddDays(-1), now.AddDays(50), [1, 2, 3]);
        var (pem, keyFile) = (Path.Combine(house.Folder, "new.pem"), Path.Combine(house.Folder, "new.key"));
        await File.WriteAllTextAsync(pem, leaf.ExportCertificatePem() + "\n" + ca.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        var operatorsOwn = await house.Device("operator");
        await using var listener = await Listener.Start(house, [.. house.Mosquitto(operatorsOwn, "operator"), "-t", "$aws/events/certificates/registered/#"]);
        var pump = house.Mosquitto(new(pem, keyFile, ""), "pump");
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", [.. pump, "-t", "x", "-m", "1"])).ExitCode);
        await listener.Hears("\"certificateStatus\":\"PENDING_ACTIVATION\"");
        var id = Convert.ToHexStringLower(SHA256.HashData(leaf.RawData));
        await listener.Hears($"$aws/events/certificates/registered/{(string)answer["certificateId"]!} ");
        await listener.Hears($"\"certificateId\":\"{id}\"");
        Assert.Equal(200, (await house.Call(HttpMethod.Put, $"/certificates/{id}?newStatus=ACTIVE")).Status);
        var (described, certificate) = await house.Call(HttpMethod.Get, $"/certificates/{id}");
        Assert.Equal(200, described);
        Assert.Equal(200, (await house.Call(HttpMethod.Put, "/target-policies/policy-of-operator", new { target = (string)certificate["certificateDescription"]!["certificateArn"]! })).Status);
        await house.Run("mosquitto_pub", [.. pump, "-t", "x", "-m", "1", "-q", "1"]);
    }

    [Fact]
    public async Task The_AWS_command_line_sets_up_a_domain_of_ones_own()
    {
        Tool.Need("aws", "openssl");
        await using var house = await House.Up();
        await house.Run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=iot.example.com", "-addext", "subjectAltName=DNS:iot.example.com",
            "-addext", "extendedKeyUsage=serverAuth", "-keyout", "own.key", "-out", "own.pem");
        var arn = (string)(await house.Aws("acm", "import-certificate", "--certificate", "fileb://own.pem", "--private-key", "fileb://own.key"))["CertificateArn"]!;
        Assert.Equal("iot.example.com", (string)(await house.Aws("acm", "describe-certificate", "--certificate-arn", arn))["Certificate"]!["DomainName"]!);
        Assert.Equal(arn, (string)(await house.Aws("acm", "list-certificates"))["CertificateSummaryList"]![0]!["CertificateArn"]!);
        await house.Aws("iot", "create-domain-configuration", "--domain-configuration-name", "own", "--domain-name", "iot.example.com", "--server-certificate-arns", arn);
        var shown = await house.TryRun("openssl", "s_client", "-connect", $"localhost:{house.MqttsPort}", "-servername", "iot.example.com", "-CAfile", "own.pem", "-verify_return_error");
        Assert.Contains("Verify return code: 0 (ok)", shown.Output, StringComparison.Ordinal);
    }

    /// <summary>An authorizer's function, with one answer for everybody.</summary>
    sealed class Function : IAsyncDisposable
    {
        readonly HttpListener listener = new();
        readonly Task serving;

        public Function(string answer)
        {
            // A port that was free a moment ago.
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = $"http://localhost:{((IPEndPoint)probe.LocalEndpoint).Port}/";
            }
            listener.Prefixes.Add(Address);
            listener.Start();
            serving = Serve(Encoding.UTF8.GetBytes(answer));
        }

        public string Address { get; }

        async Task Serve(byte[] answer)
        {
            try
            {
                while (true)
                {
                    var asked = await listener.GetContextAsync();
                    await asked.Response.OutputStream.WriteAsync(answer);
                    asked.Response.Close();
                }
            }
            catch (Exception over) when (over is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        public async ValueTask DisposeAsync()
        {
            listener.Close();
            await serving;
        }
    }
}

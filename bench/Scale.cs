using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Bench;

/// <summary>What a call costs with few things and with many: it must not grow with their number.</summary>
static class Scale
{
    const int Few = 1_000;
    const int Samples = 300;
    const int AtOnce = 16;

    public static async Task Run()
    {
        var many = int.TryParse(Environment.GetEnvironmentVariable("ALTHING_BENCH_THINGS"), CultureInfo.InvariantCulture, out var given) ? given : 100_000;
        await using var platform = await Platform.Start();
        await platform.Call("POST", "/policies/device", new { policyDocument = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Connect","iot:Publish"],"Resource":["arn:aws:iot:us-east-1:000000000000:client/${iot:Connection.Thing.ThingName}","arn:aws:iot:us-east-1:000000000000:topic/${iot:Connection.Thing.ThingName}/*"]}]}""" });
        var clock = Stopwatch.StartNew();
        using var device = await Fill(platform, 0, Few);
        var before = await Measure(platform, device, Few);
        (await Fill(platform, Few, many)).Dispose();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{many} things with certificate and policy were made in {clock.Elapsed.TotalSeconds:0} s"));
        var after = await Measure(platform, device, many);
        Console.WriteLine($"{"median ms",-36}{Few,10}{many,10}{"ratio",8}");
        for (var i = 0; i < before.Count; i++)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{before[i].What,-36}{before[i].Ms,10:0.000}{after[i].Ms,10:0.000}{after[i].Ms / before[i].Ms,8:0.00}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"resident memory of the platform: {platform.ResidentBytes / 1048576.0:0} MB"));
    }

    /// <summary>Makes things from one number to another and answers the first one's certificate.</summary>
    static async Task<X509Certificate2> Fill(Platform platform, int from, int to)
    {
        X509Certificate2? first = null;
        await Parallel.ForAsync(from, to, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var certificate = new CertificateRequest($"CN=thing-{i:D6}", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(5));
            var name = $"thing-{i:D6}";
            await platform.Call("POST", "/things/" + name, new { attributePayload = new { attributes = new { site = "site-" + (i % 100) } } });
            var arn = (string)(await platform.Call("POST", "/certificate/register-no-ca", new { certificatePem = certificate.ExportCertificatePem() + "\n", status = "ACTIVE" }))["certificateArn"]!;
            await platform.Call("PUT", $"/things/{name}/principals", principal: arn);
            await platform.Call("PUT", "/target-policies/device", new { target = arn });
            if (i == from)
                first = certificate;
            else
                certificate.Dispose();
        });
        return first!;
    }

    static async Task<List<(string What, double Ms)>> Measure(Platform platform, X509Certificate2 device, int things)
    {
        var random = new Random(3);
        return
        [
            ("DescribeThing", await Median(() => platform.Call("GET", $"/things/thing-{random.Next(things):D6}"))),
            ("ListThings, a page of 25", await Median(() => platform.Call("GET", "/things?maxResults=25"))),
            ("ListThings by attribute, 25", await Median(() => platform.Call("GET", "/things?maxResults=25&attributeName=site&attributeValue=site-7"))),
            ("UpdateThing", await Median(() => platform.Call("PATCH", $"/things/thing-{random.Next(things):D6}", new { attributePayload = new { attributes = new { a = "b" }, merge = true } }))),
            ("TLS and CONNECT of a device", await Median(() => Connect(platform, device))),
        ];
    }

    static async Task<double> Median(Func<Task> act)
    {
        List<double> times = [];
        for (var i = 0; i < Samples + 30; i++)
        {
            var from = Stopwatch.GetTimestamp();
            await act();
            if (i >= 30)
                times.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
        }
        return Load.Median(times);
    }

    static async Task Connect(Platform platform, X509Certificate2 certificate)
    {
        using var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync("127.0.0.1", platform.TlsPort);
        await using var stream = new SslStream(tcp.GetStream());
        using var root = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Path.Combine(platform.Data, "ca.pem")));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ClientCertificates = [certificate],
            CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, RevocationMode = X509RevocationMode.NoCheck },
        });
        using var packet = new PacketBuffer();
        new ConnectPacket { Version = MqttVersion.V311, CleanStart = true, KeepAliveSeconds = 60, ClientId = "thing-000000" }.Write(packet);
        await stream.WriteAsync(packet.Written);
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer);
        if (answer[3] != 0)
            throw new InvalidOperationException($"The platform refused the device with {answer[3]}.");
    }
}

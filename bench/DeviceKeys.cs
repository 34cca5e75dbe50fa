using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Bench;

/// <summary>A device's certificate from the platform's CA, with which the peers are served as well, so that all do the same work.</summary>
sealed class DeviceKeys : IAsyncDisposable
{
    static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(2);
    readonly DirectoryInfo folder;
    readonly X509Certificate2 device;
    readonly SslClientAuthenticationOptions options;

    DeviceKeys(DirectoryInfo folder, X509Certificate2 device, X509Certificate2 root)
    {
        (this.folder, this.device) = (folder, device);
        options = Options(device, root);
        Files = new(Path.Combine(Data, "ca.pem"), Path.Combine(Data, "server.pem"), Path.Combine(Data, "server.key"));
    }

    static SslClientAuthenticationOptions Options(X509Certificate2 device, X509Certificate2 root) => new()
    {
        TargetHost = "localhost",
        ClientCertificateContext = SslStreamCertificateContext.Create(device, null, offline: true),
        // A handshake of its own for each connection.
        AllowTlsResume = false,
        CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, RevocationMode = X509RevocationMode.NoCheck },
    };

    string Data => Path.Combine(folder.FullName, "data");
    public TlsFiles Files { get; }

    /// <summary>Starts a platform once, to make its CA and the certificate.</summary>
    public static async Task<DeviceKeys> Make()
    {
        var folder = Directory.CreateTempSubdirectory("bench-keys-");
        await using var platform = await Platform.Start(Path.Combine(folder.FullName, "data"));
        await platform.MakeUser();
        var made = await platform.Call("POST", "/keys-and-certificate?setAsActive=true");
        await platform.Call("PUT", "/target-policies/bench", new { target = (string)made["certificateArn"]! });
        using var pem = X509Certificate2.CreateFromPem((string)made["certificatePem"]!, (string)made["keyPair"]!["PrivateKey"]!);
        var device = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        return new(folder, device, X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder.FullName, "data", "ca.pem")));
    }

    /// <summary>A fresh process on the data that has the certificate.</summary>
    public Task<Platform> StartPlatform() => Platform.Start(Data);

    async Task<SslStream> Open(Server server, CancellationToken patience)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? stream = null;
        try
        {
            await socket.ConnectAsync(System.Net.IPAddress.Loopback, server.TlsPort, patience);
            stream = new(new NetworkStream(socket, ownsSocket: true));
            await stream.AuthenticateAsClientAsync(options, patience);
            return stream;
        }
        catch
        {
            socket.Dispose();
            if (stream is not null)
                await stream.DisposeAsync();
            throw;
        }
    }

    public async Task<Stream> Connect(Server server, string clientId)
    {
        using var patience = new CancellationTokenSource(ConnectMax);
        var stream = await Open(server, patience.Token);
        using var packet = new PacketBuffer();
        new ConnectPacket { Version = MqttVersion.V311, CleanStart = true, KeepAliveSeconds = 600, ClientId = clientId }.Write(packet);
        await stream.WriteAsync(packet.Written);
        var answer = new byte[4];
        try
        {
            await stream.ReadExactlyAsync(answer, patience.Token);
        }
        catch (OperationCanceledException late)
        {
            throw new TimeoutException($"{server.Name} did not answer the CONNECT of {clientId}.", late);
        }
        return answer[3] == 0 ? stream : throw new InvalidOperationException($"{server.Name} refused {clientId} with {answer[3]}.");
    }

    public ValueTask DisposeAsync()
    {
        device.Dispose();
        folder.Delete(recursive: true);
        return default;
    }
}

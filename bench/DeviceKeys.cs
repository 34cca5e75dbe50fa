using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Sockets.Tls;

namespace Althing.Bench;

/// <summary>
/// A device's certificate from the platform's CA, with which the peers are served as well, so that all do the same work. Its key is elliptic:
/// RSA would have the clients work more than the servers.
/// </summary>
sealed class DeviceKeys : IAsyncDisposable
{
    readonly DirectoryInfo folder;
    readonly nint context;

    DeviceKeys(DirectoryInfo folder, nint context)
    {
        (this.folder, this.context) = (folder, context);
        Files = new(Path.Combine(Data, "ca.pem"), Path.Combine(Data, "server.pem"), Path.Combine(Data, "server.key"));
    }

    string Data => Path.Combine(folder.FullName, "data");
    public TlsFiles Files { get; }

    /// <summary>Starts a platform once, to make its CA and the certificate.</summary>
    public static async Task<DeviceKeys> Make()
    {
        if (!LoopTls.IsAvailable)
            throw new PlatformNotSupportedException("The generator needs Linux and OpenSSL 3.");
        var folder = Directory.CreateTempSubdirectory("bench-keys-");
        await using var platform = await Platform.Start(Path.Combine(folder.FullName, "data"));
        await platform.MakeUser();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var made = await platform.Call("POST", "/certificates?setAsActive=true", new { certificateSigningRequest = request });
        await platform.Call("PUT", "/target-policies/bench", new { target = (string)made["certificateArn"]! });
        using var certificate = X509Certificate2.CreateFromPem((string)made["certificatePem"]!);
        return new(folder, TlsContext.Client(certificate.RawData, key.ExportPkcs8PrivateKey()));
    }

    /// <summary>A fresh process on the data that has the certificate.</summary>
    public Task<Platform> StartPlatform() => Platform.Start(Data);

    /// <summary>Connects, with a handshake of its own. Blocks.</summary>
    public SecureClient Connect(Server server, string clientId)
    {
        var client = new SecureClient(server, OpenSsl.New(context));
        try
        {
            using var packet = new PacketBuffer();
            new ConnectPacket { Version = MqttVersion.V311, CleanStart = true, KeepAliveSeconds = 600, ClientId = clientId }.Write(packet);
            client.Send(packet.Written.Span);
            var answer = new byte[4];
            client.Receive(answer);
            return answer[3] == 0 ? client : throw new InvalidOperationException($"{server.Name} refused {clientId} with {answer[3]}.");
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        OpenSsl.FreeContext(context);
        folder.Delete(recursive: true);
        return default;
    }
}

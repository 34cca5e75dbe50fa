using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Api.SigV4;
using Althing.Broker;
using Althing.Identity;

namespace Althing.Host.Terminal;

/// <summary>
/// How <c>pub</c> and <c>sub</c> reach the platform: with a certificate by mutual TLS, or without as the administrator of the data folder's
/// platform, by a WebSocket that is signed with the key in the folder.
/// </summary>
static class TerminalDoor
{
    /// <summary>How long a signed address may be used to connect.</summary>
    static readonly TimeSpan SignedFor = TimeSpan.FromMinutes(5);

    public static readonly IReadOnlyList<Option> Options =
    [
        new("qos", "N", "0, 1 or 2. Default: 0", 'q'),
        new("id", "ID", "The client id. Default: one that the platform makes", 'i'),
        new("cert", "FILE", "Come as a device: its certificate, PEM. Without it: as the administrator, with the data folder's key"),
        new("key", "FILE", "The certificate's private key, PEM"),
        new("ca", "FILE", "Trust servers of this CA. Default: ca.pem of the data folder"),
        new("host", "NAME", "With --cert: the server's name. Default: localhost", 'h'),
        new("port", "PORT", "With --cert: the server's MQTT port. Default: 8883", 'p'),
        DataFolder.Option,
        new("account", "ID", "The account that is meant. Default: the first one"),
    ];

    public static int QoS(Arguments arguments) => arguments.Get("qos") switch
    {
        null or "0" => 0,
        "1" => 1,
        "2" => 2,
        var other => throw new UsageException($"--qos {other} is none: give 0, 1 or 2."),
    };

    /// <exception cref="FailedException">The platform cannot be reached or refuses.</exception>
    public static async Task<MqttTalk> Open(Arguments arguments, CancellationToken cancel)
    {
        if (arguments.Has("cert") != arguments.Has("key"))
            throw new UsageException("--cert and --key go together.");
        if (!arguments.Has("cert") && (arguments.Has("host") || arguments.Has("port") || arguments.Has("ca")))
            throw new UsageException("--host, --port and --ca are for --cert: without it the running platform of the data folder is meant.");
        MqttTalk? talk = null;
        try
        {
            talk = new(arguments.Has("cert") ? await Tls(arguments, cancel) : await Signed(arguments, cancel), TimeProvider.System);
            await talk.Open(arguments.Get("id") ?? "", cancel);
            return talk;
        }
        catch (Exception failure)
        {
            if (talk is not null)
                await talk.DisposeAsync();
            if (failure is IOException or SocketException or WebSocketException or AuthenticationException)
                throw new FailedException($"The platform cannot be reached: {failure.Message}");
            throw;
        }
    }

    static async Task<Stream> Signed(Arguments arguments, CancellationToken cancel)
    {
        var folder = DataFolder.Of(arguments);
        var profile = arguments.Account("account")?.Value ?? CredentialsFile.DefaultProfile;
        var address = DataFolder.AddressOfRunning(folder)
            ?? throw new FailedException($"No platform runs on '{folder}'. Start one with 'althing up', or say where its data is with --data.");
        var key = CredentialsFile.Read(folder, profile)
            ?? throw new FailedException($"'{CredentialsFile.PathIn(folder)}' has no profile [{profile}] with a key to come with. Come as a device with --cert and --key.");
        var signer = new SigV4Signer(key.Id, key.Secret, HostOptions.UsualRegion, "iotdevicegateway", TimeProvider.System);
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(MqttWebSocketHandler.SubProtocol);
        try
        {
            await socket.ConnectAsync(signer.Presign("GET", new UriBuilder(address) { Scheme = "ws", Path = "/mqtt" }.Uri, SignedFor), cancel);
            return WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static async Task<Stream> Tls(Arguments arguments, CancellationToken cancel)
    {
        var (host, port) = (arguments.Get("host") ?? "localhost", arguments.Port("port") ?? HostOptions.MqttsPort);
        using var certificate = Read(() => X509Certificate2.CreateFromPemFile(arguments.Get("cert")!, arguments.Get("key")));
        var root = Read(() => X509CertificateLoader.LoadCertificateFromFile(arguments.Get("ca") ?? Path.Combine(DataFolder.Of(arguments), "ca.pem")));
        var tcp = new TcpClient { NoDelay = true };
        try
        {
            await tcp.ConnectAsync(host, port, cancel);
            var stream = new SslStream(tcp.GetStream());
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = host,
                ClientCertificates = [certificate],
                CertificateChainPolicy = new()
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { root },
                    RevocationMode = X509RevocationMode.NoCheck,
                    DisableCertificateDownloads = true,
                },
            }, cancel);
            return stream;
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    static X509Certificate2 Read(Func<X509Certificate2> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new FailedException($"A certificate or key cannot be read: {failure.Message}");
        }
    }
}

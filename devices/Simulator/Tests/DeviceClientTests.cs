using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Althing.Mqtt;
using Althing.Simulator;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Simulator;

/// <summary>The device's client against a server that speaks bytes.</summary>
public class DeviceClientTests
{
    static readonly byte[] Accepted = [0x20, 3, 0, 0, 0];

    readonly FakeTimeProvider time = new();

    [Fact]
    public async Task It_comes_by_ALPN_with_its_certificate_publishes_surely_and_acknowledges_what_it_hears()
    {
        using var server = new ByteServer();
        var connecting = DeviceClient.Connect(server.Address, "pump-1", null, time, default);
        await server.Accept();
        Assert.Equal("x-amzn-mqtt-ca", server.Alpn);
        Assert.Equal("CN=pump-1", server.ClientName);
        Assert.Contains("pump-1", Encoding.UTF8.GetString(await server.Packet(0x10)), StringComparison.Ordinal);
        await server.Send(Accepted);
        await using var client = await connecting;

        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.Received += (topic, payload) => heard.TrySetResult($"{topic} {Encoding.UTF8.GetString(payload)}");
        var publishing = client.Publish("a", "x"u8.ToArray(), 1, default);
        var published = await server.Packet(0x32);
        Assert.Equal([0, 1, (byte)'a', 0, 1, 0, (byte)'x'], published);
        Assert.False(publishing.IsCompleted);
        // In two parts, as networks cut: a message of QoS 1 with id 7, and the acknowledgement.
        await server.Send([0x32, 7, 0, 1, (byte)'b', 0]);
        await server.Send([7, 0, (byte)'y', 0x40, 2, 0, 1]);
        Assert.Equal(ReasonCode.Success, await publishing);
        Assert.Equal("b y", await heard.Task.WaitAsync(ByteServer.Patience));
        Assert.Equal([0, 7], (await server.Packet(0x40))[..2]);
    }

    [Fact]
    public async Task A_refusal_is_said_with_its_reason()
    {
        using var server = new ByteServer();
        var connecting = DeviceClient.Connect(server.Address, "pump-1", null, time, default);
        await server.Accept();
        await server.Packet(0x10);
        await server.Send([0x20, 3, 0, (byte)ReasonCode.NotAuthorized, 0]);
        var refusal = await Assert.ThrowsAsync<IOException>(() => connecting);
        Assert.Contains("refuses client 'pump-1': NotAuthorized", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_of_another_authority_is_not_trusted()
    {
        using var server = new ByteServer();
        using var stranger = ByteServer.SelfSigned("CN=stranger");
        var connecting = DeviceClient.Connect(server.Address with { Root = stranger }, "pump-1", null, time, default);
        // The client leaves during the handshake, or just after it as the server sees it.
        var accepting = server.Accept();
        await Assert.ThrowsAsync<IOException>(() => connecting.WaitAsync(ByteServer.Patience));
        await Task.WhenAny(accepting);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up()
    {
        using var server = new ByteServer();
        var connecting = DeviceClient.Connect(server.Address, "pump-1", null, time, default);
        await server.Accept();
        await server.Packet(0x10);
        time.Advance(TimeSpan.FromSeconds(31));
        var failure = await Assert.ThrowsAsync<IOException>(() => connecting.WaitAsync(ByteServer.Patience));
        Assert.Contains("nobody answered within 30 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_on_which_pings_stay_unanswered_ends()
    {
        using var server = new ByteServer();
        await using var client = await Connected(server);
        time.Advance(TimeSpan.FromSeconds(45));
        await server.Packet(0xC0);
        Assert.False(client.Ended.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(45));
        var end = await Assert.ThrowsAsync<IOException>(() => client.Ended.WaitAsync(ByteServer.Patience));
        Assert.Contains("Nothing came from the server for 90 s", end.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("40FFFFFFFF7F", "no MQTT")]
    [InlineData("300100", "no MQTT")]
    [InlineData("E0028B00", "ServerShuttingDown")]
    public async Task What_the_server_sends_amiss_ends_the_connection_and_says_why(string bytes, string why)
    {
        using var server = new ByteServer();
        await using var client = await Connected(server);
        await server.Send(Convert.FromHexString(bytes));
        var end = await Assert.ThrowsAsync<IOException>(() => client.Ended.WaitAsync(ByteServer.Patience));
        Assert.Contains(why, end.Message, StringComparison.Ordinal);
    }

    async Task<DeviceClient> Connected(ByteServer server)
    {
        var connecting = DeviceClient.Connect(server.Address, "pump-1", null, time, default);
        await server.Accept();
        await server.Packet(0x10);
        await server.Send(Accepted);
        return await connecting;
    }
}

/// <summary>A TLS server for one client, that shows packets and sends what it is told.</summary>
sealed class ByteServer : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly X509Certificate2 own = SelfSigned("CN=localhost");
    readonly X509Certificate2 device = SelfSigned("CN=pump-1");
    SslStream? stream;

    public ByteServer() => listener.Start();

    public DeviceAddress Address => new("localhost", ((IPEndPoint)listener.LocalEndpoint).Port, own, device);
    public string Alpn => Encoding.ASCII.GetString(stream!.NegotiatedApplicationProtocol.Protocol.Span);
    public string? ClientName => stream!.RemoteCertificate?.Subject;

    public static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5359", Justification = "This server only wants to see that a certificate comes.")]
    public async Task Accept()
    {
        var tcp = await listener.AcceptTcpClientAsync().WaitAsync(Patience);
        stream = new SslStream(tcp.GetStream());
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = own,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ApplicationProtocols = [new("x-amzn-mqtt-ca")],
        }).WaitAsync(Patience);
    }

    /// <summary>The body of the next packet, which must have this first byte and be shorter than 128 bytes.</summary>
    public async Task<byte[]> Packet(byte first)
    {
        var header = new byte[2];
        await stream!.ReadExactlyAsync(header).AsTask().WaitAsync(Patience);
        Assert.Equal(first, header[0]);
        var body = new byte[header[1]];
        await stream.ReadExactlyAsync(body).AsTask().WaitAsync(Patience);
        return body;
    }

    public async Task Send(byte[] bytes) => await stream!.WriteAsync(bytes);

    public void Dispose()
    {
        stream?.Dispose();
        listener.Dispose();
        own.Dispose();
        device.Dispose();
    }
}

using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Identity.Pki;
using Althing.Tests.Broker;

namespace Althing.Tests.Cluster;

/// <summary>Nodes on different machines: all that they say to each other is encrypted, and said to nodes alone.</summary>
public sealed class MachineTests
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_is_found_from_either_machine_and_goes_on_when_its_machine_dies()
    {
        await using var machines = new TwoMachines();
        var here = await machines.NodeHere("here");
        var there = await machines.NodeThere("there");
        await Away(machines, there, "far");
        await using var publisher = await TwoNodes.Client(here, "near");
        HashSet<string> sent = [];
        await Publish(publisher, sent, 1, 50);
        await using (var moved = await TwoNodes.Client(here, "far", clean: false))
        {
            Assert.True(moved.Answer.SessionPresent);
            await GetsAll(moved, sent);
        }
        await Away(machines, there, "far");
        await Publish(publisher, sent, 51, 50);
        await there.Kill();
        var killed = System.Diagnostics.Stopwatch.GetTimestamp();
        await Publish(publisher, sent, 101, 10);
        await using var back = await TwoNodes.Client(here, "far", clean: false);
        Assert.True(back.Answer.SessionPresent);
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(killed) < TimeSpan.FromSeconds(15));
        await GetsAll(back, sent);
    }

    [Fact]
    public async Task A_machine_that_is_cut_off_ends_by_itself_and_the_other_goes_on_with_its_sessions()
    {
        await using var machines = new TwoMachines();
        var here = await machines.NodeHere("kept");
        var there = await machines.NodeThere("cut");
        await Away(machines, there, "stranded");
        await using var publisher = await TwoNodes.Client(here, "near");
        HashSet<string> sent = [];
        await Publish(publisher, sent, 1, 20);
        machines.Part();
        await Publish(publisher, sent, 21, 5);
        await using var back = await TwoNodes.Client(here, "stranded", clean: false);
        Assert.True(back.Answer.SessionPresent);
        await GetsAll(back, sent);
        Assert.Equal(1, await there.Ended());
        Assert.Contains("is not one of the cluster any more", there.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_but_a_node_is_answered_where_nodes_listen()
    {
        var (postgres, port) = (PostgresServer.NewSchema(), FreePort());
        string[] Options(string node, int at) => ["--postgres", postgres, "--mqtt", "0", "--anonymous", "--join", "--node", node, "--node-address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{at}")];
        await using var first = await House.Up(Options("first", port));
        await using var second = await House.Beside(first, Options("second", FreePort()));
        await using var subscriber = await TwoNodes.Client(second, "subscriber");
        await subscriber.Subscribe("tls/#", 1);
        await using var publisher = await TwoNodes.Client(first, "publisher");
        await publisher.PublishSurely("tls/1", "over TLS");
        Assert.Equal("over TLS", await subscriber.Payload());

        using var authority = new PlatformPki(first.Data, [], TimeProvider.System);
        var stranger = Directory.CreateTempSubdirectory("althing-foreign-");
        using var foreign = new PlatformPki(stranger.FullName, [], TimeProvider.System);
        var (device, key, _) = authority.IssueDevice();
        await Refuses(port, null);
        await Refuses(port, X509Certificate2.CreateFromPem(CertificateText.PemOf(device), key));
        await Refuses(port, authority.Server);
        await Refuses(port, foreign.IssueNode("second"));
        // One who stole the authority's key has not the master key yet.
        await Refuses(port, authority.IssueNode("second"), afterChallenge: true);
        await RefusesPlain(port);
        stranger.Delete(recursive: true);
    }

    /// <param name="afterChallenge">It is let speak, and must prove that it has the master key.</param>
    static async Task Refuses(int port, X509Certificate2? shown, bool afterChallenge = false)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Cancel);
        await using var stream = new SslStream(client.GetStream());
        try
        {
            await stream.AuthenticateAsClientAsync(new()
            {
                TargetHost = "first",
                RemoteCertificateValidationCallback = static (_, server, _, _) => server is not null,
                ClientCertificateContext = shown is null ? null : SslStreamCertificateContext.Create(shown, null, offline: true),
            }, Cancel);
            Assert.Equal(afterChallenge, await GetsChallenge(stream));
            if (!afterChallenge)
                return;
            var hello = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { Name = "second", Epoch = 1, Nonce = new byte[32], Proof = RandomNumberGenerator.GetBytes(32) });
            await stream.WriteAsync((byte[])[.. BitConverter.GetBytes(IPAddress.HostToNetworkOrder(hello.Length)), 2, .. hello], Cancel);
            Assert.Equal(0, await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, Cancel));
        }
        catch (Exception closed) when (closed is IOException or System.Security.Authentication.AuthenticationException)
        {
            // That is an answer, too.
        }
    }

    static async Task RefusesPlain(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Cancel);
        await client.GetStream().WriteAsync(new byte[64], Cancel);
        Assert.False(await GetsChallenge(client.GetStream()));
    }

    static async Task<bool> GetsChallenge(Stream stream)
    {
        try
        {
            var header = new byte[5];
            await stream.ReadExactlyAsync(header, Cancel);
            return header is [0, 0, 0, 32, 1] && await stream.ReadAtLeastAsync(new byte[32], 32, throwOnEndOfStream: false, Cancel) == 32;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("[::]:7946")]
    [InlineData("two words")]
    [InlineData("10.0.0.1/path")]
    public async Task An_address_that_nobody_could_dial_is_refused(string address)
    {
        var folder = Directory.CreateTempSubdirectory("althing-address-");
        var ran = await AlthingProgram.Run("up", "--data", folder.FullName, "--postgres", "Host=127.0.0.1", "--join", "--node-address", address);
        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("is no address that other nodes could dial", ran.Output, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    /// <summary>A session on the other machine that waits for its client.</summary>
    static async Task Away(TwoMachines machines, House there, string id)
    {
        Tool.Need("mosquitto_sub");
        var port = there.MqttPort!.Value.ToString(CultureInfo.InvariantCulture);
        string[] command = [.. machines.Over, "mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-i", id, "-c", "-q", "1", "-t", "far/#", "-E"];
        await there.Run(command[0], command[1..]);
    }

    static async Task Publish(TestClient publisher, HashSet<string> sent, int from, int count)
    {
        for (var i = from; i < from + count; i++)
        {
            var text = i.ToString(CultureInfo.InvariantCulture);
            await publisher.PublishSurely("far/x", text, id: (ushort)i);
            sent.Add(text);
        }
    }

    static async Task GetsAll(TestClient client, HashSet<string> sent)
    {
        while (sent.Count > 0)
        {
            var got = await client.Message();
            sent.Remove(got.Payload);
            await client.Acknowledge(got.PacketId);
        }
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

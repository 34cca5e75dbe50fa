using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Althing.Sockets.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Xunit;

namespace Althing.Tests.Sockets;

/// <summary>TLS right on sockets that event loops watch, spoken with by .NET's client and by OpenSSL's.</summary>
public sealed class LoopTlsTests
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<SslProtocols> Versions => [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_connection_tells_what_the_handshake_agreed_on(SslProtocols version)
    {
        TaskCompletionSource<(string?, SslProtocols, string, string)> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TlsServer.Start(connection =>
        {
            var features = connection.Features;
            seen.SetResult((
                features.Get<ITlsConnectionFeature>()!.ClientCertificate?.Thumbprint, features.Get<ITlsHandshakeFeature>()!.Protocol,
                features.Get<ITlsHandshakeFeature>()!.HostName, System.Text.Encoding.ASCII.GetString(features.Get<ITlsApplicationProtocolFeature>()!.ApplicationProtocol.Span)));
            return TlsServer.Echo(connection);
        });
        using var device = TlsServer.Certificate("CN=device");
        await using var client = await server.Connect(o => (o.EnabledSslProtocols, o.ClientCertificates, o.ApplicationProtocols) = (version, [device], [new("mqtt")]));
        await client.WriteAsync("hello"u8.ToArray(), Cancel);
        var answer = new byte[5];
        await client.ReadExactlyAsync(answer, Cancel);
        Assert.Equal("hello"u8.ToArray(), answer);
        Assert.Equal((device.Thumbprint, version, "device.test", "mqtt"), await seen.Task);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_client_without_certificate_is_let_through_to_be_judged(SslProtocols version)
    {
        TaskCompletionSource<X509Certificate2?> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TlsServer.Start(connection =>
        {
            seen.SetResult(connection.Features.Get<ITlsConnectionFeature>()!.ClientCertificate);
            return TlsServer.Echo(connection);
        });
        await using var client = await server.Connect(o => o.EnabledSslProtocols = version);
        Assert.Null(await seen.Task);
    }

    [Fact]
    public async Task Whoever_has_not_the_key_of_its_certificate_is_refused()
    {
        await using var server = await TlsServer.Start(TlsServer.Echo);
        using var folder = new Folder();
        using var shown = TlsServer.Certificate("CN=device");
        using var other = TlsServer.Certificate("CN=device");
        File.WriteAllText(folder.Of("shown.pem"), shown.ExportCertificatePem());
        File.WriteAllText(folder.Of("other.key"), other.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        Assert.NotEqual(0, (await server.OpenSsl("", "-cert", folder.Of("shown.pem"), "-key", folder.Of("other.key"))).Code);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Large_messages_go_both_ways_though_the_client_reads_late(SslProtocols version)
    {
        await using var server = await TlsServer.Start(TlsServer.Echo);
        await using var client = await server.Connect(o => o.EnabledSslProtocols = version);
        var sent = new byte[8_000_000];
        new Random(1).NextBytes(sent);
        var sending = Task.Run(() => client.WriteAsync(sent, Cancel).AsTask(), Cancel);
        var received = new byte[sent.Length];
        await client.ReadExactlyAsync(received, Cancel);
        await sending;
        Assert.True(received.AsSpan().SequenceEqual(sent));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_session_is_resumed_and_still_tells_the_clients_certificate(string version)
    {
        List<string?> seen = [];
        await using var server = await TlsServer.Start(async connection =>
        {
            lock (seen)
                seen.Add(connection.Features.Get<ITlsConnectionFeature>()!.ClientCertificate?.Thumbprint);
            await connection.Transport.Output.WriteAsync("over\n"u8.ToArray());
        });
        using var folder = new Folder();
        using var device = TlsServer.Certificate("CN=device");
        File.WriteAllText(folder.Of("device.pem"), device.ExportCertificatePem());
        File.WriteAllText(folder.Of("device.key"), device.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        string[] same = [version, "-servername", "device.test", "-cert", folder.Of("device.pem"), "-key", folder.Of("device.key")];
        var first = await server.OpenSsl("", [.. same, "-sess_out", folder.Of("session")]);
        Assert.Contains("New, TLS", first.Output, StringComparison.Ordinal);
        var again = await server.OpenSsl("", [.. same, "-sess_in", folder.Of("session")]);
        Assert.Contains("Reused, TLS", again.Output, StringComparison.Ordinal);
        Assert.Equal([device.Thumbprint, device.Thumbprint], seen);
    }

    [Fact]
    public async Task Renegotiation_is_refused()
    {
        await using var server = await TlsServer.Start(TlsServer.Echo);
        var (_, output) = await server.OpenSsl("R\n", "-tls1_2");
        Assert.Contains("renegotiation", output[output.IndexOf("RENEGOTIATING", StringComparison.Ordinal)..], StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_server_name_chooses_certificate_and_versions()
    {
        await using var server = await TlsServer.Start(TlsServer.Echo);
        await using var usual = await server.Connect(_ => { });
        Assert.Equal("CN=usual", usual.RemoteCertificate!.Subject);
        await using var modern = await server.Connect(o => o.TargetHost = "modern.test");
        Assert.Equal(("CN=modern", SslProtocols.Tls13), (modern.RemoteCertificate!.Subject, modern.SslProtocol));
        await Assert.ThrowsAnyAsync<Exception>(() => server.Connect(o => (o.TargetHost, o.EnabledSslProtocols) = ("modern.test", SslProtocols.Tls12)));
        // The one that was there goes on.
        await usual.WriteAsync("still"u8.ToArray(), Cancel);
        await usual.ReadExactlyAsync(new byte[5], Cancel);
    }

    [Fact]
    public async Task A_protocol_that_is_not_served_is_refused()
    {
        await using var server = await TlsServer.Start(TlsServer.Echo);
        await Assert.ThrowsAnyAsync<Exception>(() => server.Connect(o => o.ApplicationProtocols = [new("h2")]));
    }

    [Fact]
    public async Task Garbage_half_handshakes_and_abrupt_ends_leave_the_others_alone()
    {
        await using var server = await TlsServer.Start(TlsServer.Echo);
        await using var steady = await server.Connect(_ => { });
        var hello = await TlsServer.ClientHello();
        byte[][] beginnings = [[], "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), new byte[3000], hello[..20], hello[..^1], hello, [.. hello, .. new byte[500]], [22, 3, 1, 255, 255]];
        foreach (var bytes in beginnings)
        {
            foreach (var linger in new[] { false, true })
            {
                using var client = await server.Open();
                await client.SendAsync(bytes, Cancel);
                client.LingerState = new(linger, 0);
            }
        }
        for (var i = 0; i < 20; i++)
        {
            var client = await server.Connect(_ => { });
            await client.WriteAsync(new byte[100_000], Cancel);
            server.Sockets[^1].LingerState = new(true, 0);
            server.Sockets[^1].Dispose();
        }
        await steady.WriteAsync("there"u8.ToArray(), Cancel);
        await steady.ReadExactlyAsync(new byte[5], Cancel);
        await server.AllButEnded(1);
    }

    [Fact]
    public async Task A_handshake_that_does_not_end_is_ended()
    {
        await using var server = await TlsServer.Start(TlsServer.Echo, TimeSpan.FromMilliseconds(300));
        using var client = await server.Open();
        await client.SendAsync((await TlsServer.ClientHello()).AsMemory(0, 40), Cancel);
        Assert.Equal(0, await client.ReceiveAsync(new byte[100].AsMemory(), Cancel));
    }

    [Fact]
    public async Task Bytes_changed_on_their_way_end_the_connection()
    {
        TaskCompletionSource<Exception?> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TlsServer.Start(async connection => ended.SetResult(await Record.ExceptionAsync(() => TlsServer.Echo(connection))));
        await using var client = await server.Connect(_ => { });
        await client.WriteAsync("hello"u8.ToArray(), Cancel);
        await client.ReadExactlyAsync(new byte[5], Cancel);
        await server.Sockets[^1].SendAsync(new byte[] { 23, 3, 3, 0, 30 }.Concat(new byte[30]).ToArray(), Cancel);
        Assert.IsType<IOException>(await ended.Task.WaitAsync(Cancel));
    }

    [Fact]
    public async Task An_abort_ends_a_write_to_a_client_that_never_reads()
    {
        TaskCompletionSource<Exception?> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TlsServer.Start(async connection =>
        {
            var writing = connection.Transport.Output.WriteAsync(new byte[50_000_000]).AsTask();
            Assert.False(writing.IsCompleted);
            connection.Abort();
            ended.SetResult(await Record.ExceptionAsync(() => writing));
        });
        await using var client = await server.Connect(_ => { });
        Assert.IsType<IOException>(await ended.Task.WaitAsync(Cancel));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Either_side_can_say_goodbye(SslProtocols version)
    {
        TaskCompletionSource<bool> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TlsServer.Start(async connection =>
        {
            await TlsServer.Echo(connection);
            ended.TrySetResult(true);
        });
        await using var client = await server.Connect(o => o.EnabledSslProtocols = version);
        await client.ShutdownAsync();
        Assert.True(await ended.Task.WaitAsync(Cancel));
        // The server's close_notify, or the read would fail.
        Assert.Equal(0, await client.ReadAsync(new byte[10], Cancel));
    }

    [Fact]
    public async Task A_thousand_connect_at_once()
    {
        await using var server = await TlsServer.Start(TlsServer.Echo, TimeSpan.FromMinutes(1));
        using var device = TlsServer.Certificate("CN=device");
        var clients = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => server.Connect(o => o.ClientCertificates = [device])));
        await Task.WhenAll(clients.Select(async client =>
        {
            var sent = new byte[3000];
            await client.WriteAsync(sent, Cancel);
            await client.ReadExactlyAsync(new byte[sent.Length], Cancel);
            await client.DisposeAsync();
        }));
        await server.AllButEnded(0);
    }

    [Theory]
    [InlineData("0009000006616C7468696E67", "")]
    [InlineData("000A000007616C7468696E67", "althing")]
    [InlineData("000A000008616C7468696E67", "")]
    [InlineData("000A010007616C7468696E67", "")]
    [InlineData("000A000007610074686 96E67", "")]
    [InlineData("0000", "")]
    [InlineData("", "")]
    public void A_server_name_is_read_or_none_is(string extension, string name) =>
        Assert.Equal(name, TlsCallbacks.NameIn(Convert.FromHexString(extension.Replace(" ", "", StringComparison.Ordinal))));

    sealed class Folder : IDisposable
    {
        readonly DirectoryInfo made = Directory.CreateTempSubdirectory("loop-tls-");
        public string Of(string name) => Path.Combine(made.FullName, name);
        public void Dispose() => made.Delete(recursive: true);
    }
}

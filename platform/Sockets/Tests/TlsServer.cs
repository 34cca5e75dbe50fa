using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Sockets;
using Althing.Sockets.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Althing.Tests.Sockets;

/// <summary>A listener with TLS on event loops, for <see cref="LoopTlsTests"/>.</summary>
[SuppressMessage("Security", "CA5359", Justification = "Its certificates are made up for each test.")]
sealed class TlsServer : IAsyncDisposable
{
    readonly WebApplication app;
    readonly Lock gate = new();
    int open;
    TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    TlsServer(Func<ConnectionContext, Task> serve, TimeSpan patience)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        var tls = Options(patience);
        ConnectionDelegate whole = async connection =>
        {
            Count(1);
            try
            {
                if (await LoopTls.Handshake(connection, tls) is null)
                    await serve(connection);
            }
            finally
            {
                Count(-1);
            }
        };
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(new LoopEndPoint(IPAddress.Loopback, 0) { Serve = whole }, listen => listen.Run(whole.Invoke)));
        builder.Services.AddSingleton<IConnectionListenerFactory, SocketListenerFactory>().AddLogging();
        app = builder.Build();
        app.Run(_ => Task.CompletedTask);
    }

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The sockets of the clients, in the order in which they connected.</summary>
    public List<Socket> Sockets { get; } = [];

    int Port => new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;

    public static async Task<TlsServer> Start(Func<ConnectionContext, Task> serve, TimeSpan? patience = null)
    {
        Assert.SkipUnless(LoopTls.IsAvailable, "Needs Linux and OpenSSL 3.");
        var server = new TlsServer(serve, patience ?? TimeSpan.FromSeconds(30));
        await server.app.StartAsync(Cancel);
        return server;
    }

    static TlsServerOptions Options(TimeSpan patience)
    {
        var (usual, modern) = (Context("CN=usual"), Context("CN=modern"));
        return new()
        {
            Protocols = [new("x-amzn-mqtt-ca"), new("mqtt")],
            HandshakeTimeout = patience,
            Time = TimeProvider.System,
            Choose = async (name, _) =>
            {
                // As if it were looked up.
                await Task.Yield();
                return name == "modern.test" ? new(modern, SslProtocols.Tls13) : new(usual, SslProtocols.Tls12 | SslProtocols.Tls13);
            },
        };
    }

    static SslStreamCertificateContext Context(string name) => SslStreamCertificateContext.Create(Certificate(name), null, offline: true);

    public static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        return new CertificateRequest(name, key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    public static async Task Echo(ConnectionContext connection)
    {
        while (true)
        {
            var read = await connection.Transport.Input.ReadAsync();
            await connection.Transport.Output.WriteAsync(read.Buffer.ToArray());
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    /// <summary>What a client says first.</summary>
    public static async Task<byte[]> ClientHello()
    {
        using var said = new MemoryStream();
        await using var client = new SslStream(new Duplex(said));
        await Assert.ThrowsAnyAsync<Exception>(() => client.AuthenticateAsClientAsync("device.test"));
        return said.ToArray();
    }

    /// <summary>Takes what is written and has nothing to read.</summary>
    sealed class Duplex(MemoryStream written) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => written.WriteAsync(buffer, cancellationToken);
        public override void Write(byte[] buffer, int offset, int count) => written.Write(buffer, offset, count);
        public override void Write(ReadOnlySpan<byte> buffer) => written.Write(buffer);
    }

    public async Task<Socket> Open()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Port, Cancel);
        lock (gate)
            Sockets.Add(socket);
        return socket;
    }

    public async Task<SslStream> Connect(Action<SslClientAuthenticationOptions> more)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "device.test",
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        };
        more(options);
        // Whatever was resumed would hide what a handshake does.
        options.AllowTlsResume = false;
        var stream = new SslStream(new NetworkStream(await Open(), ownsSocket: true));
        await stream.AuthenticateAsClientAsync(options, Cancel);
        return stream;
    }

    /// <summary>openssl s_client, which says something and stays until the server ends the connection.</summary>
    public async Task<(int Code, string Output)> OpenSsl(string says, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/openssl"), "openssl is not installed.");
        var start = new ProcessStartInfo("/usr/bin/openssl", ["s_client", "-connect", $"127.0.0.1:{Port}", .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.StandardInput.WriteAsync(says);
        await process.StandardInput.FlushAsync(Cancel);
        if (says.Length > 0)
            process.StandardInput.Close();
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output + await errors);
    }

    void Count(int change)
    {
        lock (gate)
        {
            open += change;
            changed.TrySetResult();
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Completes when so many connections are left.</summary>
    public async Task AllButEnded(int left)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (open == left)
                    return;
                next = changed.Task;
            }
            await next.WaitAsync(Cancel);
        }
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Althing.Tests.Cluster;

/// <summary>
/// This machine and a second one, as far as the network goes: a network namespace of its own, a cable between both, and PostgreSQL on this
/// one. Needs root and iproute2; without them the tests are skipped and say so.
/// </summary>
sealed class TwoMachines : IAsyncDisposable
{
    static int made;

    readonly string name = $"alt{Environment.ProcessId % 100_000}{Interlocked.Increment(ref made)}";
    readonly string postgres = PostgresServer.NewSchema();
    readonly CancellationTokenSource ended = new();
    readonly TcpListener listener;
    readonly Task relaying;
    readonly List<House> nodes = [];

    public TwoMachines()
    {
        Tool.Need("ip");
        var first = Try("netns", "add", name);
        Assert.SkipUnless(first, "No network namespace can be made here (root and CAP_SYS_ADMIN are needed): nodes on different machines are not tested.");
        var net = $"10.{200 + (Environment.ProcessId & 31)}.{made & 255}";
        (Here, There) = ($"{net}.1", $"{net}.2");
        Ip("link", "add", Cable, "type", "veth", "peer", "name", "far", "netns", name);
        Ip("addr", "add", Here + "/24", "dev", Cable);
        Ip("link", "set", Cable, "up");
        Ip("-n", name, "addr", "add", There + "/24", "dev", "far");
        Ip("-n", name, "link", "set", "far", "up");
        Ip("-n", name, "link", "set", "lo", "up");
        listener = new(IPAddress.Parse(Here), 0);
        listener.Start();
        relaying = Task.Run(Relay);
    }

    public string Here { get; }
    public string There { get; }
    string Cable => name + "v";

    /// <summary>What runs a command on the other machine.</summary>
    public string[] Over => ["ip", "netns", "exec", name];

    /// <summary>A node on this machine.</summary>
    public async Task<House> NodeHere(string node)
    {
        var house = await House.Up(Options(node, Here));
        nodes.Add(house);
        return house;
    }

    /// <summary>A node on the other machine.</summary>
    public async Task<House> NodeThere(string node)
    {
        var house = await House.Beside(nodes[0], Over, Options(node, There));
        nodes.Add(house);
        return house;
    }

    string[] Options(string node, string address)
    {
        var at = new NpgsqlConnectionStringBuilder(postgres) { Host = Here, Port = ((IPEndPoint)listener.LocalEndpoint).Port };
        return ["--postgres", at.ToString(), "--mqtt", "0", "--anonymous", "--join", "--node", node, "--node-address", address];
    }

    /// <summary>Pulls the cable.</summary>
    public void Part() => Ip("link", "set", Cable, "down");

    /// <summary>The server listens on loopback alone, where the other machine does not reach it.</summary>
    async Task Relay()
    {
        try
        {
            while (true)
            {
                var (from, to) = (await listener.AcceptTcpClientAsync(ended.Token), new TcpClient());
                var server = new NpgsqlConnectionStringBuilder(postgres);
                await to.ConnectAsync(server.Host!, server.Port, ended.Token);
                _ = Task.WhenAny(from.GetStream().CopyToAsync(to.GetStream(), ended.Token), to.GetStream().CopyToAsync(from.GetStream(), ended.Token)).ContinueWith(_ =>
                {
                    from.Dispose();
                    to.Dispose();
                }, TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    static bool Try(params string[] arguments)
    {
        using var ran = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        ran.WaitForExit();
        return ran.ExitCode == 0;
    }

    static void Ip(params string[] arguments) => Assert.True(Try(arguments), "ip " + string.Join(' ', arguments));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
        await ended.CancelAsync();
        await relaying;
        listener.Dispose();
        ended.Dispose();
        Try("link", "del", Cable);
        Try("netns", "del", name);
    }
}

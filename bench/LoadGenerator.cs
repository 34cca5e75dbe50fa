using System.Diagnostics;
using Althing.Sockets;

namespace Althing.Bench;

/// <summary>What one run came to.</summary>
/// <param name="CpuPerMillion">Seconds of the server's CPU for a million deliveries.</param>
/// <param name="Lost">Deliveries that had not come a while after the last publish.</param>
sealed record Outcome(double PerSecond, double CpuPerMillion, long Lost)
{
    /// <summary>Latency of the 50th, 99th and 99.9th percentile in microseconds; zero where none was measured.</summary>
    public (double P50, double P99, double P999) Latency { get; init; }
}

/// <summary>A shape of traffic: who publishes to whom.</summary>
/// <param name="Perwrite">Packets in one write.</param>
/// <param name="PerSecond">Messages per second in all; as fast as it goes when null.</param>
sealed record Traffic(string Name, int Publishers, int Subscribers, int QoS, int PerWrite, double Least)
{
    public int? PerSecond { get; init; }

    /// <summary>Publisher i and subscriber i have a topic of their own.</summary>
    public bool InPairs { get; init; }
    public int Window { get; init; } = 100;

    /// <summary>So many times the usual may be on the way at once.</summary>
    public int Depth { get; init; } = 1;
    public long PerPublish => InPairs ? 1 : Subscribers;
}

/// <summary>One thread that keeps all connections of a run going, so that a server on the other core is the bottleneck.</summary>
/// <param name="servers">Clients are spread over them; of the pairs, an equal part has its ends on each two of them.</param>
sealed class LoadGenerator(IReadOnlyList<Server> servers, Traffic traffic)
{
    static readonly TimeSpan Warmup = TimeSpan.FromSeconds(0.5);
    static readonly TimeSpan Measured = TimeSpan.FromSeconds(2.5);
    static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    readonly byte[] buffer = new byte[1 << 18];
    readonly List<Peer> all = [];
    readonly List<Peer> publishers = [];
    readonly List<Peer> subscribers = [];

    public async Task<Outcome> Run()
    {
        try
        {
            await Connect();
            return await Task.Run(Drive);
        }
        finally
        {
            foreach (var peer in all)
                peer.Dispose();
        }
    }

    async Task Connect()
    {
        for (var i = 0; i < traffic.Subscribers; i++)
        {
            var socket = await Load.Connect(servers[i / servers.Count % servers.Count], $"bench-sub-{i}");
            await Load.Subscribe(socket, traffic.InPairs ? $"bench/pair-{i}" : traffic.Publishers > 1 ? "bench/#" : "bench/hot", traffic.QoS);
            subscribers.Add(new(socket, traffic.QoS) { Latencies = traffic.PerSecond is null ? null : [] });
        }
        for (var i = 0; i < traffic.Publishers; i++)
        {
            var topic = traffic.InPairs ? $"bench/pair-{i}" : traffic.Publishers > 1 ? $"bench/device-{i}" : "bench/hot";
            publishers.Add(new Peer(await Load.Connect(servers[i % servers.Count], $"bench-pub-{i}"), traffic.QoS).Publishing(topic, traffic.PerWrite, Math.Max(traffic.Window, traffic.PerWrite)));
        }
        all.AddRange(subscribers);
        all.AddRange(publishers);
    }

    TimeSpan Cpu => servers.Aggregate(TimeSpan.Zero, (sum, server) => sum + server.Cpu);

    Outcome Drive()
    {
        using var epoll = new Epoll();
        for (var i = 0; i < all.Count; i++)
            epoll.Watch(all[i].Fd, i, Epoll.In);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Warmup)
            Step(epoll, publish: true);
        foreach (var subscriber in subscribers)
            subscriber.Latencies?.Clear();
        var (from, before, cpu) = (clock.Elapsed, Received, Cpu);
        while (clock.Elapsed < Warmup + Measured)
            Step(epoll, publish: true);
        var (seconds, got) = ((clock.Elapsed - from).TotalSeconds, Received - before);
        var used = (Cpu - cpu).TotalSeconds;
        return new(got / seconds, used / got * 1e6, Drain(epoll)) { Latency = Percentiles() };
    }

    /// <summary>Deliveries on their way at once, so that no server is flooded beyond what it can pass on and all are measured at their own pace.</summary>
    long OnTheWayMax => traffic.Depth * Math.Max(20_000, 40 * traffic.PerPublish * traffic.PerWrite);

    long received, published, forgiven;

    long Received => received;

    long Missing => published * traffic.PerPublish - received;

    long Drain(Epoll epoll)
    {
        var (drain, quiet, seen) = (Stopwatch.StartNew(), Stopwatch.StartNew(), Received);
        while (drain.Elapsed < DrainMax && quiet.Elapsed < Silence && (Missing > 0 || publishers.Any(p => p.IsStuck)))
        {
            Step(epoll, publish: false);
            if (Received == seen)
                continue;
            seen = Received;
            quiet.Restart();
        }
        return Missing;
    }

    long due;
    int turn;

    void Step(Epoll epoll, bool publish)
    {
        var busy = false;
        if (publish && traffic.PerSecond is { } rate)
            busy = Pace(rate);
        else if (publish)
        {
            for (var i = 0; i < publishers.Count; i++)
            {
                var publisher = publishers[turn++ % publishers.Count];
                if (!publisher.MayPublish)
                    continue;
                if (Missing - forgiven > OnTheWayMax)
                    break;
                var before = publisher.Published;
                publisher.Publish();
                published += publisher.Published - before;
                busy = true;
                WatchOut(epoll, publisher);
            }
        }
        var events = epoll.Wait(busy ? 0 : 10);
        for (var i = 0; i < events; i++)
        {
            var (tag, ready) = epoll.At(i);
            var peer = all[tag];
            var (sentBefore, gotBefore) = (peer.Published, peer.Received);
            if ((ready & Epoll.Out) != 0 && peer.IsStuck)
                peer.Publish();
            WatchOut(epoll, peer);
            if ((ready & ~Epoll.Out) != 0 && !peer.Receive(buffer, Stopwatch.GetTimestamp))
                throw new IOException($"{servers[0].Name} closed a connection of '{traffic.Name}'.");
            published += peer.Published - sentBefore;
            received += peer.Received - gotBefore;
        }
        Forgive(events > 0 || busy);
    }

    readonly Stopwatch idle = Stopwatch.StartNew();

    /// <summary>What has not come in a second of silence will not come: the next messages need not wait for it.</summary>
    void Forgive(bool moved)
    {
        if (moved)
            idle.Restart();
        else if (idle.Elapsed > Silence)
            forgiven = Missing;
    }

    /// <summary>Publishes when it is time; one that is late keeps its stamp of now, as a device has it.</summary>
    bool Pace(int rate)
    {
        var now = Stopwatch.GetTimestamp();
        if (due == 0)
            due = now;
        if (now >= due)
        {
            due += Stopwatch.Frequency / rate;
            var publisher = publishers[turn++ % publishers.Count];
            if (publisher.MayPublish)
            {
                publisher.Publish(Stopwatch.GetTimestamp());
                published++;
            }
        }
        return true;
    }

    void WatchOut(Epoll epoll, Peer peer)
    {
        if (peer.IsStuck == peer.IsWatchedForOut)
            return;
        peer.IsWatchedForOut = peer.IsStuck;
        epoll.Change(peer.Fd, all.IndexOf(peer), peer.IsStuck ? Epoll.In | Epoll.Out : Epoll.In);
    }

    (double, double, double) Percentiles()
    {
        List<long> sorted = [.. subscribers.SelectMany(s => s.Latencies ?? []).Order()];
        if (sorted.Count == 0)
            return default;
        double At(double part) => sorted[(int)((sorted.Count - 1) * part)] * 1e6 / Stopwatch.Frequency;
        return (At(0.5), At(0.99), At(0.999));
    }
}

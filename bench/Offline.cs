using System.Diagnostics;
using System.Globalization;
using Althing.Sockets;

namespace Althing.Bench;

/// <summary>Messages of QoS 1 for sessions whose clients are away, counted when the server acknowledges them. Ours are on disk by then; nats-server syncs its files every two minutes.</summary>
static class Offline
{
    const int Runs = 3;
    const int Pairs = 50;
    const int Window = 100;
    static readonly TimeSpan Measured = TimeSpan.FromSeconds(3);

    public static async Task Run()
    {
        List<(string Name, List<double> Rates)> rows = [("althing", []), ("nats", [])];
        for (var run = 0; run < Runs; run++)
        {
            await using (var ours = await Platform.Start())
            {
                await ours.MakeUser();
                rows[0].Rates.Add(await Rate(ours));
            }
            await using var nats = await Nats.TryStart();
            if (nats is not null)
                rows[1].Rates.Add(await Rate(nats));
        }
        var mine = Load.Median(rows[0].Rates);
        foreach (var (name, rates) in rows.Where(r => r.Rates.Count > 0))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-14}{Load.Median(rates),10:0} acknowledged/s for sessions that are away   althing has {mine / Load.Median(rates):0.0} times that"));
    }

    static async Task<double> Rate(Server server)
    {
        for (var i = 0; i < Pairs; i++)
        {
            using var subscriber = await Load.Connect(server, $"away-{i}", cleanStart: false);
            await Load.Subscribe(subscriber, $"away/{i}", 1);
            await Load.SendAll(subscriber, new byte[] { (int)Mqtt.PacketType.Disconnect << 4, 0 });
        }
        List<Peer> publishers = [];
        for (var i = 0; i < Pairs; i++)
            publishers.Add(new Peer(await Load.Connect(server, $"away-pub-{i}"), 1).Publishing($"away/{i}", Window / 2, Window));
        try
        {
            return await Task.Run(() => Drive(publishers));
        }
        finally
        {
            publishers.ForEach(p => p.Dispose());
        }
    }

    static double Drive(List<Peer> publishers)
    {
        using var epoll = new Epoll();
        for (var i = 0; i < publishers.Count; i++)
            epoll.Watch(publishers[i].Fd, i, Epoll.In | Epoll.Out | Epoll.Changes);
        var (buffer, clock) = (new byte[1 << 16], Stopwatch.StartNew());
        while (clock.Elapsed < Measured)
        {
            foreach (var publisher in publishers)
            {
                while (publisher.MayPublish)
                    publisher.Publish();
            }
            var events = epoll.Wait(10);
            for (var i = 0; i < events; i++)
            {
                var publisher = publishers[epoll.At(i).Tag];
                if (publisher.IsStuck)
                    publisher.Publish();
                if (!publisher.Receive(buffer, Stopwatch.GetTimestamp))
                    throw new IOException("The server closed a publisher's connection.");
            }
        }
        return publishers.Sum(p => p.Published - p.InFlight) / clock.Elapsed.TotalSeconds;
    }
}

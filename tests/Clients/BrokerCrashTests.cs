using System.Globalization;
using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Tests.Broker;

namespace Althing.Tests.Clients;

/// <summary>
/// The platform is killed again and again while clients publish and subscribe with QoS 1 and 2. Nothing that was acknowledged may be missing
/// in the end, and nothing of QoS 2 may have come twice. <c>ALTHING_KILLS</c> sets how often; 20 is the ordinary run.
/// </summary>
public class BrokerCrashTests
{
    const int Window = 20;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_qos_2_comes_exactly_once_however_often_the_platform_is_killed()
    {
        var kills = int.Parse(Environment.GetEnvironmentVariable("ALTHING_KILLS") ?? "20", CultureInfo.InvariantCulture);
        await using var house = await House.Up("--mqtt", "0", "--anonymous");
        var random = new Random(23);
        Receiver[] receivers = [new("r-once", "load/2/#", 2), new("r-least", "load/1/#", 1), new("r-away", "load/#", 2)];
        Sender[] senders = [new("s-a", "load/2/a", 2), new("s-b", "load/2/b", 2), new("s-c", "load/1/c", 1)];
        foreach (var receiver in receivers)
            await receiver.Subscribe(house.MqttPort!.Value);
        for (var kill = 0; kill < kills; kill++)
        {
            using var stop = new CancellationTokenSource();
            // One receiver is away half of the time: its messages wait in the log over several crashes.
            List<Task> running = [.. receivers.Where(r => r.Id != "r-away" || kill % 4 > 1).Select(r => r.Run(house.MqttPort!.Value, stop.Token))];
            var before = senders.Sum(s => s.Done);
            running.AddRange(senders.Select(s => s.Run(house.MqttPort!.Value, stop.Token)));
            while (senders.Sum(s => s.Done) == before)
                await Task.Delay(1);
            await Task.Delay(random.Next(0, 120));
            await house.Kill();
            await stop.CancelAsync();
            await Task.WhenAll(running);
            await house.Start();
        }
        Assert.Equal(kills, house.Kills);
        foreach (var sender in senders)
            await sender.Finish(house.MqttPort!.Value);
        foreach (var receiver in receivers)
            await receiver.Finish(house.MqttPort!.Value, [.. senders.Where(s => receiver.Wants(s.Topic)).SelectMany(s => s.Sent)]);
        Assert.All(receivers.Where(r => r.Id == "r-once"), r => Assert.Empty(r.Twice));
        Assert.DoesNotContain(receivers.Single(r => r.Id == "r-away").Twice, p => !p.StartsWith("s-c", StringComparison.Ordinal));
        Assert.True(senders.Sum(s => s.Done) > kills * 10, $"Only {senders.Sum(s => s.Done)} messages were acknowledged.");
    }

    static Task<TestClient> Connect(int port, string id) =>
        TestClient.Connect(port, id, c => (c.Account, c.Password, c.CleanStart, c.KeepAlive) = (null, null, false, 600));

    /// <summary>Publishes numbered messages, and sends again after a break what was not acknowledged to the end, as MQTT asks of a client.</summary>
    sealed class Sender(string id, string topic, int qos)
    {
        readonly SortedDictionary<int, Flight> open = [];
        int next;

        sealed class Flight
        {
            public required ushort PacketId { get; init; }
            public bool Released { get; set; }
        }

        public string Topic => topic;
        public int Done { get; private set; }
        public IEnumerable<string> Sent => Enumerable.Range(0, next).Select(Payload);

        string Payload(int number) => $"{id}-{number.ToString(CultureInfo.InvariantCulture)}";

        public async Task Run(int port, CancellationToken stop)
        {
            try
            {
                await using var client = await Connect(port, id);
                await Again(client);
                while (!stop.IsCancellationRequested)
                {
                    while (open.Count < Window)
                    {
                        var number = next++;
                        open.Add(number, new() { PacketId = (ushort)((number % 60_000) + 1) });
                        await Publish(client, number, again: false);
                    }
                    if (!await Take(client))
                        return;
                }
            }
            catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException)
            {
                // Killed: what is open goes again next time.
            }
        }

        public async Task Finish(int port)
        {
            await using var client = await Connect(port, id);
            await Again(client);
            while (open.Count > 0)
                Assert.True(await Take(client), "The platform closed the connection.");
        }

        async Task Again(TestClient client)
        {
            foreach (var (number, flight) in open)
            {
                if (flight.Released)
                    await client.SendAck(PacketType.PubRel, flight.PacketId);
                else
                    await Publish(client, number, again: true);
            }
        }

        Task Publish(TestClient client, int number, bool again) => client.Send(b =>
            PublishPacket.Write(b, MqttVersion.V311, topic, Encoding.UTF8.GetBytes(Payload(number)), qos, false, again, open[number].PacketId, null));

        async Task<bool> Take(TestClient client)
        {
            if (await client.Next() is not { } packet)
                return false;
            var type = (PacketType)(packet.First >> 4);
            var packetId = AcknowledgePacket.Read(packet.Body, MqttVersion.V311).PacketId;
            // An answer to what was answered before the crash finds nothing.
            var number = open.Where(f => f.Value.PacketId == packetId).Select(f => (int?)f.Key).FirstOrDefault();
            if (type == PacketType.PubRec)
            {
                if (number is { } received)
                    open[received].Released = true;
                await client.SendAck(PacketType.PubRel, packetId);
            }
            else if (number is { } done)
            {
                open.Remove(done);
                Done++;
            }
            return true;
        }
    }

    /// <summary>Takes messages and keeps, over breaks, the identifiers of QoS 2 that are not released, as MQTT asks of a client.</summary>
    sealed class Receiver(string id, string filter, int qos)
    {
        readonly HashSet<ushort> unreleased = [];
        readonly HashSet<string> got = new(StringComparer.Ordinal);

        public string Id => id;
        public List<string> Twice { get; } = [];

        public bool Wants(string topic) => Topic.Matches(filter, topic);

        public async Task Subscribe(int port)
        {
            await using var client = await Connect(port, id);
            await client.Subscribe(filter, qos);
            await client.Disconnect();
            await client.Closed();
        }

        public async Task Run(int port, CancellationToken stop)
        {
            try
            {
                await using var client = await Connect(port, id);
                Assert.True(client.Answer.SessionPresent, $"The session of {id} is gone.");
                while (!stop.IsCancellationRequested && await client.Next() is { } packet)
                    await Take(client, packet.First, packet.Body);
            }
            catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException or OperationCanceledException)
            {
                // Killed.
            }
        }

        public async Task Finish(int port, IReadOnlyCollection<string> all)
        {
            await using var client = await Connect(port, id);
            Assert.True(client.Answer.SessionPresent, $"The session of {id} is gone.");
            while (!all.All(got.Contains))
            {
                var packet = await client.Next().WaitAsync(TimeSpan.FromSeconds(20)).ContinueWith(t => t.IsCompletedSuccessfully ? t.Result : null);
                Assert.True(packet is not null, $"{id} misses {all.Count(p => !got.Contains(p))} of {all.Count}, first {all.First(p => !got.Contains(p))}.");
                await Take(client, packet.Value.First, packet.Value.Body);
            }
            // Whatever still comes comes before the answer to a ping.
            await client.Raw(PingPacket.Request.ToArray());
            while (await client.Next() is { } packet && (PacketType)(packet.First >> 4) != PacketType.PingResp)
                await Take(client, packet.First, packet.Body);
            Assert.Empty(got.Except(all));
        }

        async Task Take(TestClient client, byte first, byte[] body)
        {
            switch ((PacketType)(first >> 4))
            {
                case PacketType.PubRel:
                    var released = AcknowledgePacket.Read(body, MqttVersion.V311).PacketId;
                    unreleased.Remove(released);
                    await client.SendAck(PacketType.PubComp, released);
                    return;
                case PacketType.Publish when ((first >> 1) & 3) == 2:
                    var (text, packetId) = Read(body);
                    if (unreleased.Add(packetId) && !got.Add(text))
                        Twice.Add(text);
                    await client.SendAck(PacketType.PubRec, packetId);
                    return;
                case PacketType.Publish:
                    var (payload, one) = Read(body);
                    if (!got.Add(payload))
                        Twice.Add(payload);
                    await client.SendAck(PacketType.PubAck, one);
                    return;
            }
        }

        static (string Payload, ushort PacketId) Read(byte[] body)
        {
            var reader = new PacketReader(body);
            reader.Utf8();
            var packetId = reader.UInt16();
            return (Encoding.UTF8.GetString(reader.All()), packetId);
        }
    }
}

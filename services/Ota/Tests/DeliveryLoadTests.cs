using System.Security.Cryptography;
using Althing.Ota.Delivery;
using Althing.Storage;
using Althing.Tests.Broker;

namespace Althing.Tests.Ota;

/// <summary>File delivery when too much is asked for.</summary>
public sealed class DeliveryLoadTests
{
    static readonly AccountId Account = new("000000000001");

    [Fact]
    public async Task Who_floods_is_refused_beyond_ten_waiting_requests_and_others_are_served_meanwhile()
    {
        var house = new OtaHouse();
        await house.InitializeAsync();
        try
        {
            var account = await house.NewAccount();
            await account.Put("slow", RandomNumberGenerator.GetBytes(1000));
            await account.Put("quick", RandomNumberGenerator.GetBytes(1000));
            await account.Stream("s", account.File(0, "slow"), account.File(1, "quick"));
            await using var flooding = await account.Device("flood", "s");
            await using var calm = await account.Device("calm", "s");
            Assert.Single(await calm.Ask("get/json", """{"f":1,"l":1000}"""));
            var open = new TaskCompletionSource();
            house.Files.Gate = open.Task;
            for (var i = 0; i < 30; i++)
                await flooding.Client.Publish("$aws/things/flood/streams/s/get/json", $$"""{"c":"{{i}}","f":0,"l":1000}""");
            List<Got> refused = [];
            while (refused.Count < 20)
            {
                var got = await flooding.Client.Message();
                if (got.Topic.EndsWith("/rejected/json", StringComparison.Ordinal))
                    refused.Add(got);
            }
            Assert.All(refused, r => Assert.Contains("RequestThrottled", r.Payload, StringComparison.Ordinal));
            Assert.Single(await calm.Ask("get/json", """{"f":1,"l":1000}"""));
            open.SetResult();
            for (var answered = 0; answered < 10;)
                answered += (await flooding.Client.Message()).Topic.EndsWith("/data/json", StringComparison.Ordinal) ? 1 : 0;
        }
        finally
        {
            await house.DisposeAsync();
        }
    }

    [Fact]
    public async Task Clients_take_turns_whoever_asked_for_more()
    {
        var desk = new DeliveryDesk(new() { RequestsInFlightMax = 100 });
        var gate = new TaskCompletionSource();
        List<string> order = [];
        var left = new CountdownEvent(1);
        // All workers are busy until everybody has asked.
        for (var i = 0; i < Math.Max(2, Environment.ProcessorCount); i++)
            Assert.True(desk.TryAdd(Account, "busy-" + i, () => gate.Task));
        foreach (var client in "aaaaabbc")
        {
            left.AddCount();
            Assert.True(desk.TryAdd(Account, client.ToString(), () => Done(client.ToString())));
        }
        gate.SetResult();
        left.Signal();
        await Task.Run(() => left.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal(8, order.Count);
        Assert.True(order.IndexOf("c") < 5 && order.LastIndexOf("b") < 7, string.Join("", order));

        Task Done(string client)
        {
            lock (order)
                order.Add(client);
            left.Signal();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public void What_waits_is_bounded_for_all_together()
    {
        var desk = new DeliveryDesk(new() { WaitingMax = 5 });
        var never = new TaskCompletionSource();
        Assert.Equal(5, Enumerable.Range(0, 9).Count(i => desk.TryAdd(Account, "c" + i, () => never.Task)));
    }

    [Fact]
    public async Task The_cache_keeps_what_was_used_last_and_forgets_what_failed()
    {
        var cache = new RangeCache(new() { CachedBytesMax = 300 });
        var reads = 0;
        async Task<byte[]?> Range(int index, byte[]? content = null, bool fails = false) => await cache.Get(new(Account, "b", "k", "v", "e", index), 100, () =>
        {
            reads++;
            return fails ? throw new IOException() : Task.FromResult(content);
        });
        var some = new byte[100];
        foreach (var index in new[] { 0, 1, 2, 0, 3, 0, 2 })
            Assert.Same(some, await Range(index, some));
        Assert.Equal((4, 300L), (reads, cache.Bytes));
        Assert.Same(some, await Range(1, some));
        Assert.Equal(5, reads);
        await Assert.ThrowsAsync<IOException>(() => Range(9, fails: true));
        Assert.Null(await Range(9));
        Assert.Same(some, await Range(9, some));
        Assert.Equal(8, reads);
        Assert.Equal(300, cache.Bytes);
    }
}

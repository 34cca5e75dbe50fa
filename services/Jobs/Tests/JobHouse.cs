using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Broker;
using Althing.Commands;
using Althing.Core;
using Althing.Core.Endpoints;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Jobs;
using Althing.Jobs.Rollout;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;
using Althing.Tests.Broker;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Jobs;

/// <summary>Registry, jobs, commands and broker in process, on a clock that stands still: devices by MQTT, callers by the API client.</summary>
public sealed class JobHouse : IAsyncLifetime
{
    readonly TemporaryStorage storage = new();
    readonly ToyAuthority authority = new();
    readonly ToyFiles files = new();
    WebApplication app = null!;
    int accounts = 300_000;
    bool crashed;

    internal JobLimits Limits { get; init; } = new();

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    internal ConcurrentQueue<string> Errors { get; } = new();
    internal ToyFiles Files => files;
    internal IStore Store => storage.Store;
    internal int Port { get; private set; }
    internal IServiceProvider Services => app.Services;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, l => l.UseConnectionHandler<MqttConnectionHandler>()));
        builder.Services
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton(storage.Open)
            .AddSingleton(storage.Store)
            .AddSingleton(MasterKey.Open(storage.Folder))
            .AddSingleton(new PlatformPki(storage.Folder, [], Time))
            .AddSingleton(new EndpointOptions { HostName = "iot.test" })
            .AddLogging(l => l.AddProvider(new ErrorBook(Errors)))
            .AddMqttBroker(new())
            .AddAwsApis(CoreService.Assembly, JobsService.Assembly, CommandsService.Assembly)
            .AddCore()
            .AddSingleton(Limits)
            .AddJobs()
            .AddCommands()
            .AddSingleton<IObjectFiles>(files)
            .AddSingleton<IDeviceAuthority>(authority);
        app = builder.Build();
        app.Run(_ => Task.CompletedTask);
        await app.StartAsync();
        Port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
    }

    /// <summary>Ends the process as a crash does, and starts anew on the same folder.</summary>
    internal async Task Crash()
    {
        crashed = true;
        await app.DisposeAsync();
        await storage.Reopen();
        await InitializeAsync();
    }

    internal JobAccount NewAccount() => new(this, new((Interlocked.Increment(ref accounts) * 1_000_000L).ToString("D12")));

    internal Task Followed => Services.GetRequiredService<MembershipKeeper>().Settled;

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        await storage.DisposeAsync();
        if (!crashed)
            Assert.Empty(Errors);
    }
}

/// <summary>Objects in memory, and URLs that show what was asked for.</summary>
sealed class ToyFiles : IObjectFiles
{
    public ConcurrentDictionary<(string, string, string), byte[]> Objects { get; } = new();

    public ValueTask<ObjectFile?> Open(AccountId account, string bucket, string key, long offset, CancellationToken cancel) =>
        new(Objects.TryGetValue((account.Value, bucket, key), out var bytes) ? new ObjectFile(new MemoryStream(bytes), bytes.Length, "tag") : null);

    public ValueTask<ObjectFacts?> Find(AccountId account, string bucket, string key, string? version, CancellationToken cancel) =>
        new(Objects.TryGetValue((account.Value, bucket, key), out var bytes) ? new ObjectFacts(bytes.Length, "tag", "null") : null);

    public ValueTask<ObjectFile?> OpenRange(AccountId account, string bucket, string key, string? version, long offset, long bytes, CancellationToken cancel) =>
        throw new NotSupportedException();

    public ValueTask Write(AccountId account, string bucket, string key, Stream content, string contentType, CancellationToken cancel) => throw new NotSupportedException();

    public Uri Presign(Role role, string region, string bucket, string key, TimeSpan lifetime) =>
        new($"https://signed.test/{bucket}/{key}?role={role.Name}&region={region}&seconds={lifetime.TotalSeconds}");
}

/// <summary>An account's administrator.</summary>
sealed class JobAccount(JobHouse house, AccountId id)
{
    public AccountId Id => id;

    public Caller Root { get; } = new()
    {
        Account = id, Arn = $"arn:aws:iam::{id}:root", UserId = id.Value, Kind = CallerKind.Root, Region = "eu-west-1",
    };

    public string Arn(string resource) => $"arn:aws:iot:eu-west-1:{id}:{resource}";

    public async Task<JsonObject> Call(string operation, object request, string api = "iot", Caller? caller = null) =>
        await house.Services.GetRequiredService<ApiClient>().Call(caller ?? Root, api, operation, request, default);

    public Task<JsonObject> Data(string operation, object request) => Call(operation, request, "iot-jobs-data");

    public async Task<ServiceException> Refused(string operation, object request, string api = "iot", Caller? caller = null) =>
        await Assert.ThrowsAsync<ServiceException>(() => Call(operation, request, api, caller));

    public async Task Things(params string[] names)
    {
        foreach (var name in names)
            await Call("CreateThing", new { thingName = name });
    }

    public async Task Group(string name, params string[] things)
    {
        await Call("CreateThingGroup", new { thingGroupName = name });
        foreach (var thing in things)
            await Join(name, thing);
    }

    public Task Join(string group, string thing) => Call("AddThingToThingGroup", new { thingGroupName = group, thingName = thing });

    public Task Leave(string group, string thing) => Call("RemoveThingFromThingGroup", new { thingGroupName = group, thingName = thing });

    /// <summary>Creates a snapshot job on things, and waits until they have it.</summary>
    public async Task Job(string job, params string[] things)
    {
        await Call("CreateJob", new { jobId = job, targets = things.Select(t => Arn("thing/" + t)), document = """{"operation":"test"}""" });
        await Unrolled(job);
    }

    /// <summary>Waits until nothing of the job is done in the background any more.</summary>
    public async Task<JsonObject> Unrolled(string job)
    {
        for (var i = 0; i < 2000; i++)
        {
            var found = (await Call("DescribeJob", new { jobId = job }))["job"]!.AsObject();
            if (!(bool)found["isConcurrent"]!)
                return found;
            await Task.Delay(5);
        }
        throw new TimeoutException($"The job '{job}' is still being worked on.");
    }

    /// <summary>Waits until the job is in this state.</summary>
    public async Task<JsonObject> Becomes(string job, string status)
    {
        for (var i = 0; i < 2000; i++)
        {
            var found = (await Call("DescribeJob", new { jobId = job }))["job"]!.AsObject();
            if ((string)found["status"]! == status)
                return found;
            await Task.Delay(5);
        }
        throw new TimeoutException($"The job '{job}' did not become {status}.");
    }

    /// <summary>The numbers that are not zero, such as <c>Queued 2, Succeeded 1</c>.</summary>
    public async Task<string> Counts(string job)
    {
        var details = (await Call("DescribeJob", new { jobId = job }))["job"]!["jobProcessDetails"]!.AsObject();
        return string.Join(", ", from d in details
                                 where d.Key.StartsWith("numberOf", StringComparison.Ordinal) && (int)d.Value! != 0
                                 orderby d.Key
                                 select $"{d.Key[8..^6]} {d.Value}");
    }

    public async Task<string> Status(string thing, string job) =>
        (string)(await Call("DescribeJobExecution", new { thingName = thing, jobId = job }))["execution"]!["status"]!;

    public async Task Becomes(string thing, string job, string status)
    {
        for (var i = 0; i < 2000; i++)
        {
            try
            {
                if (await Status(thing, job) == status)
                    return;
            }
            catch (ServiceException missing) when (missing.Code == "ResourceNotFoundException")
            {
                // Not yet.
            }
            await Task.Delay(5);
        }
        throw new TimeoutException($"The execution of '{job}' on '{thing}' did not become {status}.");
    }

    public Task<JobDevice> Device(string thing, params string[] filters) => JobDevice.Connect(house, this, thing, filters);
}

/// <summary>A device that asks on the jobs' topics.</summary>
sealed class JobDevice(TestClient client, string prefix) : IAsyncDisposable
{
    ushort id;

    public TestClient Client => client;

    public static async Task<JobDevice> Connect(JobHouse house, JobAccount account, string thing, string[] filters)
    {
        var client = await TestClient.Connect(house.Port, $"{thing}-{Guid.NewGuid():N}", c => (c.Account, c.KeepAlive) = (account.Id.Value, 1200));
        var prefix = $"$aws/things/{thing}/jobs/";
        if (filters.Length > 0)
            await client.Subscribe([.. filters.Select(f => new SubscribeEntry(f.StartsWith('$') ? f : prefix + f, 0))]);
        return new(client, prefix);
    }

    /// <summary>Asks, waits for the acknowledgement, and answers all that came: <c>topic document</c>, the topics without what they share.</summary>
    public async Task<IReadOnlyList<string>> Ask(string topic, string payload)
    {
        Assert.Equal(ReasonCode.Success, await client.PublishSurely(prefix + topic, payload, id: ++id));
        await client.Ping();
        List<string> all = [];
        while (client.Waiting > 0)
            all.Add(Text(await client.Message()));
        return all;
    }

    /// <summary>The only answer.</summary>
    public async Task<string> Answer(string topic, string payload) => Assert.Single(await Ask(topic, payload));

    /// <summary>Its document, which must be an acceptance.</summary>
    public async Task<JsonObject> Accepted(string topic, string payload = "{}")
    {
        var answer = await Answer(topic, payload);
        Assert.StartsWith(topic + "/accepted ", answer, StringComparison.Ordinal);
        return JsonNode.Parse(answer[(topic.Length + 10)..])!.AsObject();
    }

    /// <summary>What comes next without having asked.</summary>
    public async Task<string> Told() => Text(await client.Message());

    string Text(Got got) => $"{(got.Topic.StartsWith(prefix, StringComparison.Ordinal) ? got.Topic[prefix.Length..] : got.Topic)} {got.Payload}";

    public ValueTask DisposeAsync() => client.DisposeAsync();
}

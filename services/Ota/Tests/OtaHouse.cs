using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Broker;
using Althing.Core;
using Althing.Core.Endpoints;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Mqtt;
using Althing.ObjectStore;
using Althing.ObjectStore.Buckets;
using Althing.Ota;
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

namespace Althing.Tests.Ota;

/// <summary>Registry, objects, file delivery and broker in process, on a clock that stands still: devices by MQTT, callers by the API client.</summary>
public sealed class OtaHouse : IAsyncLifetime
{
    readonly TemporaryStorage storage = new();
    readonly ToyAuthority authority = new();
    WebApplication app = null!;
    int accounts = 400_000;

    internal StreamLimits Limits { get; init; } = new();

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    internal ConcurrentQueue<string> Errors { get; } = new();
    internal StoreFiles Files => (StoreFiles)app.Services.GetRequiredService<IObjectFiles>();
    internal ToyAuthority Authority => authority;
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
            .AddAwsApis(CoreService.Assembly, ObjectStoreService.Assembly, OtaService.Assembly)
            .AddCore()
            .AddObjectStore()
            .AddSingleton(Limits)
            .AddOta()
            .AddSingleton<IObjectFiles, StoreFiles>()
            .AddSingleton<IDeviceAuthority>(authority);
        app = builder.Build();
        app.Run(_ => Task.CompletedTask);
        await app.StartAsync();
        Port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
    }

    /// <summary>A new account with a bucket of its own and the role <c>streams</c>, which may read it.</summary>
    internal async Task<OtaAccount> NewAccount()
    {
        var account = new OtaAccount(this, new((Interlocked.Increment(ref accounts) * 1_000_000L).ToString("D12")));
        var bucket = new Bucket { Name = account.Bucket, Owner = account.Id, Region = "eu-west-1", CreatedAt = Time.GetUtcNow(), Versioning = Bucket.Enabled };
        await Store.Commit(new Batch().Add(Bucket.Table, bucket), default);
        await account.Role("streams", "s3:GetObject*", $"arn:aws:s3:::{account.Bucket}/*");
        return account;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        await storage.DisposeAsync();
        Assert.Empty(Errors);
    }
}

/// <summary>The object store itself, with a count of how often it was read.</summary>
sealed class StoreFiles(ObjectAccess objects) : IObjectFiles
{
    int reads;

    public int Reads => Volatile.Read(ref reads);

    /// <summary>What a reading waits for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public async ValueTask<ObjectFile?> Open(AccountId account, string bucket, string key, long offset, CancellationToken cancel) =>
        await OpenRange(account, bucket, key, null, offset, long.MaxValue, cancel);

    public async ValueTask<ObjectFacts?> Find(AccountId account, string bucket, string key, string? version, CancellationToken cancel) =>
        await objects.Find(account, bucket, key, version, cancel) is { } found ? new(found.Bytes, found.ETag, found.Version) : null;

    public async ValueTask<ObjectFile?> OpenRange(AccountId account, string bucket, string key, string? version, long offset, long bytes, CancellationToken cancel)
    {
        Interlocked.Increment(ref reads);
        await Gate;
        return await objects.Open(account, bucket, key, version, offset, bytes, cancel) is { } open ? new(open.Content, open.Bytes, open.ETag) : null;
    }

    public async ValueTask Write(AccountId account, string bucket, string key, Stream content, string contentType, CancellationToken cancel) =>
        await objects.Write(account, bucket, key, content, contentType, cancel);

    public Uri Presign(Role role, string region, string bucket, string key, TimeSpan lifetime) => throw new NotSupportedException();
}

/// <summary>An account's administrator.</summary>
sealed class OtaAccount(OtaHouse house, AccountId id)
{
    const string Trust = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"iot.amazonaws.com"},"Action":"sts:AssumeRole"}]}""";

    public AccountId Id => id;

    public string Bucket => "files-" + id;

    public string RoleArn => $"arn:aws:iam::{id}:role/streams";

    public Caller Root { get; } = new() { Account = id, Arn = $"arn:aws:iam::{id}:root", UserId = id.Value, Kind = CallerKind.Root, Region = "eu-west-1" };

    public string Arn(string resource) => $"arn:aws:iot:eu-west-1:{id}:{resource}";

    public async Task<JsonObject> Call(string operation, object request, Caller? caller = null) =>
        await house.Services.GetRequiredService<ApiClient>().Call(caller ?? Root, "iot", operation, request, default);

    public async Task<ServiceException> Refused(string operation, object request, Caller? caller = null) =>
        await Assert.ThrowsAsync<ServiceException>(() => Call(operation, request, caller));

    public async Task Role(string name, string action, string resource, string trust = Trust)
    {
        var role = new Role
        {
            Account = id, Name = name, Id = "AROA" + name, CreatedAt = house.Time.GetUtcNow(), TrustPolicy = trust,
            Policies = new Dictionary<string, string> { ["p"] = $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"{{action}}","Resource":"{{resource}}"}]}""" },
        };
        await house.Store.Commit(new Batch().Put(Althing.Identity.Role.Table, role), default);
    }

    /// <summary>Writes an object and answers its version.</summary>
    public Task<string> Put(string key, byte[] content) =>
        house.Services.GetRequiredService<ObjectAccess>().Write(id, Bucket, key, new MemoryStream(content), "application/octet-stream", default).AsTask();

    public object File(int fileId, string key, string? version = null) => new { fileId, s3Location = new { bucket = Bucket, key, version } };

    public Task<JsonObject> Stream(string streamId, params object[] files) => Call("CreateStream", new { streamId, files, roleArn = RoleArn });

    /// <summary>A device that listens to the answers about one stream.</summary>
    public async Task<StreamDevice> Device(string thing, string stream, int qos = 0)
    {
        var client = await TestClient.Connect(house.Port, $"{thing}-{Guid.NewGuid():N}", c => (c.Account, c.KeepAlive) = (id.Value, 1200));
        await client.Subscribe($"$aws/things/{thing}/streams/{stream}/+/json", qos);
        await client.Subscribe($"$aws/things/{thing}/streams/{stream}/+/cbor", qos);
        return new(client, $"$aws/things/{thing}/streams/{stream}/");
    }
}

/// <summary>A device that asks on the topics of one stream.</summary>
sealed class StreamDevice(TestClient client, string prefix) : IAsyncDisposable
{
    ushort id;

    public TestClient Client => client;

    /// <summary>Asks, waits for the acknowledgement, and answers all that came.</summary>
    public async Task<IReadOnlyList<Got>> Ask(string topic, byte[] payload)
    {
        await client.Publish(prefix + topic, payload, 1, id: ++id);
        await client.Expect(PacketType.PubAck);
        await client.Ping();
        List<Got> all = [];
        while (client.Waiting > 0)
        {
            var got = await client.Message();
            // It hears its own questions, too.
            if (got.Topic != prefix + topic)
                all.Add(got);
        }
        return all;
    }

    /// <summary>The same as <c>topic document</c>, the topics without what they share.</summary>
    public async Task<IReadOnlyList<string>> Ask(string topic, string payload) =>
        [.. (await Ask(topic, System.Text.Encoding.UTF8.GetBytes(payload))).Select(g => $"{g.Topic[prefix.Length..]} {g.Payload}")];

    public async Task<string> Answer(string topic, string payload) => Assert.Single(await Ask(topic, payload));

    /// <summary>The code of the only answer, a refusal.</summary>
    public async Task<string> Refused(string payload, string topic = "get/json")
    {
        var answer = await Answer(topic, payload);
        Assert.StartsWith("rejected/json {", answer, StringComparison.Ordinal);
        return (string)JsonNode.Parse(answer["rejected/json ".Length..])!["o"]!;
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();
}

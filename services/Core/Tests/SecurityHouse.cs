using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Broker;
using Althing.Core;
using Althing.Core.Authority;
using Althing.Core.Endpoints;
using Althing.Core.Events;
using Althing.Core.Principals;
using Althing.Core.ThingGroups;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Core;

/// <summary>Certificates, policies and the authority over a store of their own; operations are called as any outsider calls them.</summary>
sealed class SecurityHouse : IAsyncDisposable
{
    readonly TemporaryStorage storage = new();
    readonly ServiceProvider services;
    int accounts = 100_000;

    /// <param name="broker">The broker that the data plane's operations ask; without one they cannot be called.</param>
    public SecurityHouse(MqttBroker? broker = null)
    {
        Store = new(storage.Store);
        services = BuildServices(broker);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    public CountingStore Store { get; }
    public LogLines Log { get; } = new();
    public ConcurrentQueue<(AccountId Account, OutgoingMessage Message)> Published { get; } = new();
    public IDeviceAuthority Authority => services.GetRequiredService<IDeviceAuthority>();
    public MqttUsers Users => services.GetRequiredService<MqttUsers>();
    public DeviceCallers Callers => services.GetRequiredService<DeviceCallers>();
    public RegistryChanges Changes => services.GetRequiredService<RegistryChanges>();
    public Task EventsSettled => services.GetRequiredService<RegistryEvents>().Settled;
    public Task Settled => services.GetRequiredService<RightsKeeper>().Settled;

    public SecurityAccount NewAccount() => new(this, new((Interlocked.Increment(ref accounts) * 1_000_000L).ToString("D12")));

    public async Task<JsonObject> Call(Caller caller, string operation, object request, string api = "iot") =>
        await services.GetRequiredService<ApiClient>().Call(caller, api, operation, request, default);

    ServiceProvider BuildServices(MqttBroker? broker)
    {
        var collection = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton(storage.Open)
            .AddSingleton<IStore>(Store)
            .AddSingleton(MasterKey.Open(storage.Folder))
            .AddSingleton(new PlatformPki(storage.Folder, [], Time))
            .AddSingleton(new EndpointOptions { HostName = "iot.test" })
            .AddLogging(l => l.SetMinimumLevel(LogLevel.Debug).AddProvider(Log))
            .AddAwsApis(CoreService.Assembly)
            .AddCore();
        if (broker is not null)
            collection.AddSingleton(broker);
        return collection
            .AddSingleton<PlatformAudience>((_, _) => true)
            .AddSingleton<PlatformPublish>((account, message, cancel) =>
            {
                Published.Enqueue((account, message));
                return default;
            })
            .BuildServiceProvider();
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await storage.DisposeAsync();
    }
}

/// <summary>One account's administrator, and short ways to what tests need again and again.</summary>
sealed class SecurityAccount(SecurityHouse house, AccountId id)
{
    public AccountId Id => id;

    public Caller Root { get; } = new()
    {
        Account = id, Arn = $"arn:aws:iam::{id}:root", UserId = id.Value, Kind = CallerKind.Root, Region = "eu-west-1",
    };

    public string Arn(string resource) => $"arn:aws:iot:eu-west-1:{id}:{resource}";

    public Task<JsonObject> Call(string operation, object request, string api = "iot") => house.Call(Root, operation, request, api);

    public async Task<ServiceException> Refused(string operation, object request, string api = "iot") =>
        await Assert.ThrowsAsync<ServiceException>(() => house.Call(Root, operation, request, api));

    /// <summary>Whether the call succeeds; for calls of which some must be refused, whichever comes first.</summary>
    public Task<bool> Tries(string operation, object request) => Task.Run(async () =>
    {
        try
        {
            await Call(operation, request);
            return true;
        }
        catch (ServiceException)
        {
            return false;
        }
    });

    public Task<JsonObject> Policy(string name, string document) => Call("CreatePolicy", new { policyName = name, policyDocument = document });

    public Task Attach(string policy, string target) => Call("AttachPolicy", new { policyName = policy, target });

    /// <summary>An active certificate registered without a CA, made quickly.</summary>
    public async Task<TestDevice> Device(string subject = "CN=device", string status = "ACTIVE")
    {
        var certificate = TestPki.SelfSigned(subject);
        var answer = await Call("RegisterCertificateWithoutCA", new { certificatePem = certificate.ExportCertificatePem(), status });
        return new(certificate, (string)answer["certificateId"]!, (string)answer["certificateArn"]!);
    }

    public async Task<DeviceSession?> Connect(TestDevice device, string clientId)
    {
        var principal = await house.Authority.Identify(device.Certificate, null, default);
        return principal is null ? null : await house.Authority.Connect(principal, clientId, default);
    }

    // The registry's operations are tested by themselves; here its rows and its word of the change are enough.
    public async Task Thing(string name, TestDevice? device = null, bool exclusive = false, Dictionary<string, string>? attributes = null)
    {
        var old = await house.Store.Get(Althing.Core.Things.Thing.Table, id, name, default);
        var thing = new Thing { Account = id, Name = name, Id = name, Version = (old?.Value.Version ?? 0) + 1, CreatedAt = house.Time.GetUtcNow(), Attributes = attributes ?? [] };
        await house.Store.Commit(new Batch().Put(Althing.Core.Things.Thing.Table, thing), default);
        house.Changes.Publish(new(RegistryResource.Thing, RegistryVerb.Updated, id, name));
        if (device is null)
            return;
        var principal = new ThingPrincipal { Account = id, ThingName = name, Principal = PrincipalRef.OfCertificate(device.Id), Exclusive = exclusive };
        await house.Store.Commit(new Batch().Put(ThingPrincipal.Table, principal), default);
        house.Changes.Publish(new(RegistryResource.ThingPrincipal, RegistryVerb.Created, id, name, principal.Principal));
    }

    public async Task Group(string name, string? parent = null, params string[] things)
    {
        var group = new ThingGroup { Account = id, Name = name, Id = name, Version = 1, CreatedAt = house.Time.GetUtcNow(), ParentName = parent };
        await house.Store.Commit(new Batch().Put(ThingGroup.Table, group), default);
        foreach (var thing in things)
        {
            await house.Store.Commit(new Batch().Put(ThingGroupMember.Table, new() { Account = id, GroupName = name, ThingName = thing }), default);
            house.Changes.Publish(new(RegistryResource.ThingGroupMembership, RegistryVerb.Created, id, thing, name));
        }
    }

    public async Task Leave(string group, string thing)
    {
        await house.Store.Commit(new Batch().Delete(ThingGroupMember.Table, id, Key.Of(group, thing)), default);
        house.Changes.Publish(new(RegistryResource.ThingGroupMembership, RegistryVerb.Deleted, id, thing, group));
    }

    /// <summary>A tag as the wire has it, its members with capitals.</summary>
    public static object Tag(string key, string? value = null) =>
        value is null ? new Dictionary<string, string> { ["Key"] = key } : new Dictionary<string, string> { ["Key"] = key, ["Value"] = value };

    /// <summary>A policy document with one statement.</summary>
    public static string Document(string action, string resource, string effect = "Allow") =>
        $$"""{"Version":"2012-10-17","Statement":[{"Effect":"{{effect}}","Action":"{{action}}","Resource":"{{resource}}"}]}""";
}

sealed record TestDevice(X509Certificate2 Certificate, string Id, string Arn);

/// <summary>Certificates for tests.</summary>
static class TestPki
{
    static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    static readonly DateTimeOffset Until = new(2040, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static X509Certificate2 SelfSigned(string subject, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(From, until ?? Until);
    }

    public static X509Certificate2 Authority(string subject)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(From, Until);
    }

    public static X509Certificate2 Signed(X509Certificate2 authority, string subject, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signer = authority.GetRSAPrivateKey()!;
        return new CertificateRequest(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256)
            .Create(authority.SubjectName, X509SignatureGenerator.CreateForRSA(signer, RSASignaturePadding.Pkcs1), From, until ?? Until, RandomNumberGenerator.GetBytes(12));
    }

    public static string Request(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }
}

/// <summary>A store that counts its calls, and lets others in between.</summary>
sealed class CountingStore(IStore inner) : IStore
{
    int calls;
    Interruption? between;

    public int Calls => Volatile.Read(ref calls);

    public ValueTask<Row<T>?> Get<T>(Table<T> table, AccountId account, string key, CancellationToken cancel) where T : class
    {
        Interlocked.Increment(ref calls);
        return inner.Get(table, account, key, cancel);
    }

    public ValueTask<IReadOnlyList<Row<T>>> Scan<T>(Table<T> table, AccountId account, Scan scan, CancellationToken cancel) where T : class
    {
        Interlocked.Increment(ref calls);
        return inner.Scan(table, account, scan, cancel);
    }

    public ValueTask<long> Count<T>(Table<T> table, AccountId account, Scan scan, CancellationToken cancel) where T : class
    {
        Interlocked.Increment(ref calls);
        return inner.Count(table, account, scan, cancel);
    }

    public async IAsyncEnumerable<Row<T>> ScanAll<T>(Table<T> table, [EnumeratorCancellation] CancellationToken cancel) where T : class
    {
        await foreach (var row in inner.ScanAll(table, cancel))
            yield return row;
    }

    public async ValueTask Commit(Batch batch, CancellationToken cancel)
    {
        Interlocked.Increment(ref calls);
        if (between is { } waiting && waiting.When(batch) && Interlocked.CompareExchange(ref between, null, waiting) == waiting)
            await waiting.Do();
        await inner.Commit(batch, cancel);
    }

    /// <summary>Does something once, right before a batch of this kind is committed: the worst moment for who decided on it.</summary>
    public void Between(Func<Batch, bool> when, Func<Task> act) => between = new(when, act);

    sealed record Interruption(Func<Batch, bool> When, Func<Task> Do);

    public ValueTask DisposeAsync() => default;
}

/// <summary>Keeps what was logged.</summary>
sealed class LogLines : ILoggerProvider
{
    readonly ConcurrentQueue<string> lines = new();

    public IReadOnlyList<string> IotLog => [.. lines.Where(l => l.StartsWith("Althing.Core.Logging.IotLog", StringComparison.Ordinal))];

    public ILogger CreateLogger(string categoryName) => new Writer(categoryName, lines);

    public void Dispose() { }

    sealed class Writer(string category, ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{category} {formatter(state, exception)}");
    }
}

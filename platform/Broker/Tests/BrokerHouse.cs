using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Althing.Broker;
using Althing.Sockets;
using Althing.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Broker;

/// <summary>A broker on a free port over storage of its own; <see cref="ToyAuthority"/> says who may do what.</summary>
sealed class BrokerHouse : IAsyncDisposable
{
    readonly TemporaryStorage storage;
    readonly BrokerOptions options;
    WebApplication app = null!;

    BrokerHouse(BrokerOptions options, string? folder) => (this.options, storage) = (options, new(folder: folder));

    /// <param name="folder">Where its data is; null for a folder that goes with the test.</param>
    public static async Task<BrokerHouse> Start(BrokerOptions? options = null, string? folder = null)
    {
        var house = new BrokerHouse(options ?? new(), folder);
        await house.Listen();
        return house;
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    public ToyAuthority Authority { get; } = new();
    public MqttBroker Broker => app.Services.GetRequiredService<MqttBroker>();
    public int Port { get; private set; }

    /// <summary>What the broker logged as an error: input never is one.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    async Task Listen()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(new LoopEndPoint(IPAddress.Loopback, 0), l => l.UseConnectionHandler<MqttConnectionHandler>()));
        builder.Services.AddSingleton<IConnectionListenerFactory, SocketListenerFactory>();
        builder.Services.AddSingleton<TimeProvider>(Time).AddSingleton(storage.Open).AddSingleton<IDeviceAuthority>(Authority).AddLogging(l => l.AddProvider(new ErrorBook(Errors))).AddMqttBroker(options);
        app = builder.Build();
        app.Run(_ => Task.CompletedTask);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Port = new Uri(address).Port;
    }

    /// <summary>Ends the process as a crash does: nothing is saved, nobody is told. Then starts anew on the same folder.</summary>
    /// <param name="journal">Puts something between the broker and its disk from then on.</param>
    public async Task Crash(Func<IJournal, IJournal>? journal = null)
    {
        await app.DisposeAsync();
        await storage.Reopen();
        if (journal is not null)
            storage.Open.Wrap("mqtt", journal);
        await Listen();
    }

    public Task<TestClient> Connect(string clientId, Action<TestConnect>? change = null) => TestClient.Connect(Port, clientId, change);

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        await storage.DisposeAsync();
    }
}

/// <summary>Notes errors that are logged.</summary>
sealed class ErrorBook(ConcurrentQueue<string> errors) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            errors.Enqueue($"{formatter(state, exception)} {exception}");
    }

    public void Dispose()
    {
    }
}

/// <summary>Lets every user of the form <c>account/name</c> in; what is denied is said by tests.</summary>
sealed class ToyAuthority : IDeviceAuthority
{
    readonly ConcurrentDictionary<string, ToySession> sessions = new();

    public ConcurrentDictionary<(DeviceAction Action, string Topic), byte> Denied { get; } = new();
    public HashSet<string> Barred { get; } = [];

    public ValueTask<DevicePrincipal?> Identify(X509Certificate2 certificate, string? serverName, CancellationToken cancel) => new((DevicePrincipal?)null);

    public ValueTask<DevicePrincipal?> Identify(string clientId, string? userName, ReadOnlyMemory<byte> password, CancellationToken cancel)
    {
        if (Encoding.UTF8.GetString(password.Span) != "secret")
            return new((DevicePrincipal?)null);
        var account = new AccountId(userName!);
        return new(new DevicePrincipal(account, "user-of-" + userName, $"arn:aws:iot:eu-west-1:{userName}:user/toy"));
    }

    public ValueTask<DeviceSession?> Connect(DevicePrincipal principal, string clientId, CancellationToken cancel)
    {
        if (Barred.Contains(clientId))
            return new((DeviceSession?)null);
        return new(sessions[clientId] = new ToySession(this, principal, clientId));
    }

    public void Deny(DeviceAction action, string topic)
    {
        Denied[(action, topic)] = 0;
        foreach (var session in sessions.Values)
            session.Change();
    }

    public void Revoke(string clientId) => sessions[clientId].Revoke();

    sealed class ToySession(ToyAuthority authority, DevicePrincipal principal, string clientId) : DeviceSession(principal, clientId)
    {
        int version;

        public override int Version => Volatile.Read(ref version);
        public void Change() => Interlocked.Increment(ref version);
        public void Revoke() => EndRights();
        public override bool Allows(DeviceAction action, string topic) => !authority.Denied.ContainsKey((action, topic));
    }
}

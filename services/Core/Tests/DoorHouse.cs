using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Api.SigV4;
using Althing.Broker;
using Althing.Core;
using Althing.Core.Authority;
using Althing.Core.Endpoints;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;
using Althing.Tests.Broker;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Core;

/// <summary>All doors of the platform on real sockets: MQTT and HTTP, plain and over TLS; and a function for authorizers.</summary>
sealed class DoorHouse : IAsyncDisposable
{
    public const string HostName = "iot.test";

    readonly TemporaryStorage storage = new();
    readonly WebApplication app;

    DoorHouse(BrokerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(Log);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            var tls = kestrel.ApplicationServices.GetRequiredService<DeviceTls>();
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.UseHttps(tls.Options([SslApplicationProtocol.Http11]));
                listen.Use(next => async connection =>
                {
                    if (await tls.IsMqtt(connection.Features, default))
                        await kestrel.ApplicationServices.GetRequiredService<MqttConnectionHandler>().OnConnectedAsync(connection);
                    else
                        await next(connection);
                });
            });
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.UseHttps(tls.Options([new("mqtt"), new("x-amzn-mqtt-ca")]));
                listen.UseConnectionHandler<MqttConnectionHandler>();
            });
        });
        builder.Services
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton(storage.Open)
            .AddSingleton(storage.Store)
            .AddSingleton(MasterKey.Open(storage.Folder))
            .AddSingleton<FirstStart>()
            .AddSingleton(new PlatformPki(storage.Folder, [HostName], Time))
            .AddSingleton(new EndpointOptions { HostName = HostName })
            .AddMqttBroker(options)
            .AddAwsApis(CoreService.Assembly)
            .AddCore();
        app = builder.Build();
        app.UseDeviceDoors();
        app.MapPost("/function", Function.Answer);
        app.UseRouting();
        app.UseEndpoints(_ => { });
        app.UseAwsApis();
        app.Run(http => http.Response.WriteAsync("a page"));
    }

    public static async Task<DoorHouse> Open(BrokerOptions? options = null)
    {
        var house = new DoorHouse(options ?? new());
        await house.app.StartAsync();
        return house;
    }

    int Port(int listener) => new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(listener)).Port;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    public LogLines Log { get; } = new();
    public ToyFunction Function { get; } = new();
    public string FunctionAddress => $"http://localhost:{Port(0)}/function";
    public IServiceProvider Services => app.Services;
    public MqttBroker Broker => Services.GetRequiredService<MqttBroker>();
    public IStore Store => storage.Store;
    public Task Settled => Services.GetRequiredService<RightsKeeper>().Settled;

    /// <summary>A new account with an administrator's key.</summary>
    public async Task<DoorAccount> NewAccount()
    {
        // The first one is the platform's owner's.
        Time.Advance(TimeSpan.FromMilliseconds(1));
        var id = new AccountId(Random.Shared.NextInt64(100_000_000_000, 999_999_999_999).ToString());
        var (key, secret) = await Services.GetRequiredService<FirstStart>().CreateAccount(id, null, default);
        return new(this, id, key.Id, secret);
    }

    /// <summary>Opens a TLS connection to the MQTT listener.</summary>
    public Task<SslStream> Mqtts(X509Certificate2? certificate = null, string serverName = HostName, string? alpn = null) => Tls(2, certificate, serverName, alpn);

    public async Task<SslStream> Tls(int listener, X509Certificate2? certificate, string serverName, string? alpn, System.Security.Authentication.SslProtocols versions = default)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, Port(listener));
        var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = serverName,
            EnabledSslProtocols = versions,
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
            ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
            ApplicationProtocols = alpn is null ? null : [new(alpn)],
        });
        return tls;
    }

    /// <summary>The address of the WebSocket door.</summary>
    public Uri WebSocketAddress => new($"ws://127.0.0.1:{Port(0)}/mqtt");

    public Uri Address => new($"http://127.0.0.1:{Port(0)}");

    /// <summary>Opens a WebSocket with sub-protocol <c>mqtt</c> and answers its bytes as a stream.</summary>
    public static async Task<Stream> WebSocket(Uri address, Action<ClientWebSocketOptions>? change = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        change?.Invoke(socket.Options);
        await socket.ConnectAsync(address, default);
        Assert.Equal("mqtt", socket.SubProtocol);
        return WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
    }

    /// <summary>Opens a WebSocket with sub-protocol <c>mqtt</c> on a stream that is open already.</summary>
    public static async Task<Stream> WebSocketOver(Stream stream, string query = "", params (string Name, string Value)[] headers)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        foreach (var (name, value) in headers)
            socket.Options.SetRequestHeader(name, value);
        var once = new HttpMessageInvoker(new SocketsHttpHandler { ConnectCallback = (_, _) => new(stream) });
        await socket.ConnectAsync(new("ws://" + HostName + "/mqtt" + query), once, default);
        return WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
    }

    /// <summary>An HTTP client that comes over TLS under a name, with a certificate or without.</summary>
    public HttpClient Https(X509Certificate2? certificate = null, string serverName = HostName) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, _) => await Tls(1, certificate, serverName, null),
        MaxConnectionsPerServer = 1,
    })
    { BaseAddress = new("http://" + serverName) };

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        await storage.DisposeAsync();
    }
}

/// <summary>A function that authorizers call: it answers as a test says, and keeps what it was asked.</summary>
sealed class ToyFunction
{
    public ConcurrentQueue<JsonNode> Asked { get; } = new();

    /// <summary>What it answers to a request; null for status 500.</summary>
    public Func<JsonNode, string?> Says { get; set; } = _ => """{"isAuthenticated":false}""";

    public static string Allow(string policy, string principal = "p1", int refresh = 300, int disconnect = 3600) =>
        $$"""{"isAuthenticated":true,"principalId":"{{principal}}","policyDocuments":[{{policy}}],"refreshAfterInSeconds":{{refresh}},"disconnectAfterInSeconds":{{disconnect}}}""";

    public async Task Answer(HttpContext http)
    {
        var request = (await JsonNode.ParseAsync(http.Request.Body))!;
        Asked.Enqueue(request);
        if (Says(request) is { } answer)
            await http.Response.WriteAsync(answer);
        else
            http.Response.StatusCode = 500;
    }
}

/// <summary>An account of a <see cref="DoorHouse"/> and its administrator's key.</summary>
sealed record DoorAccount(DoorHouse House, AccountId Id, string KeyId, Secret Secret)
{
    public Caller Root { get; } = new() { Account = Id, Arn = $"arn:aws:iam::{Id}:root", UserId = Id.Value, Kind = CallerKind.Root, Region = "eu-west-1" };

    /// <summary>The name under which the platform knows the account.</summary>
    public string ServerName => $"{Id}.{DoorHouse.HostName}";

    public string Arn(string resource) => $"arn:aws:iot:eu-west-1:{Id}:{resource}";

    public async Task<JsonObject> Call(string operation, object request, string api = "iot") =>
        await House.Services.GetRequiredService<ApiClient>().Call(Root, api, operation, request, default);

    public async Task<ServiceException> Refused(string operation, object request, string api = "iot") =>
        await Assert.ThrowsAsync<ServiceException>(() => Call(operation, request, api));

    public SigV4Signer Signer(string service = "iotdevicegateway") => new(KeyId, Secret, "eu-west-1", service, House.Time);

    /// <summary>A user with a policy, and its key.</summary>
    public async Task<DoorAccount> User(string name, string policy)
    {
        var keys = House.Services.GetRequiredService<SigningKeys>();
        var user = new User { Account = Id, Name = name, Id = PrincipalIds.User(), CreatedAt = House.Time.GetUtcNow(), Policies = new Dictionary<string, string> { ["p"] = policy } };
        var (key, secret) = keys.Create(Id, name);
        await House.Store.Commit(new Batch().Put(Althing.Identity.User.Table, user).Add(AccessKey.Table, key), default);
        keys.Changed();
        return this with { KeyId = key.Id, Secret = secret };
    }

    /// <summary>Takes a user's policies or the user itself away.</summary>
    public async Task Remove(string user)
    {
        await House.Store.Commit(new Batch().Delete(Althing.Identity.User.Table, Id, Althing.Identity.User.KeyOf(user)), default);
        House.Services.GetRequiredService<SigningKeys>().Changed();
    }

    /// <summary>An active certificate with its key, and a policy on it.</summary>
    public async Task<TestDevice> Device(string policy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}""")
    {
        var certificate = TestPki.SelfSigned("CN=device");
        var answer = await Call("RegisterCertificateWithoutCA", new { certificatePem = certificate.ExportCertificatePem(), status = "ACTIVE" });
        var device = new TestDevice(certificate, (string)answer["certificateId"]!, (string)answer["certificateArn"]!);
        await Call("CreatePolicy", new { policyName = "of-" + device.Id, policyDocument = policy });
        await Call("AttachPolicy", new { policyName = "of-" + device.Id, target = device.Arn });
        return device;
    }

    /// <summary>An authorizer whose function is the house's.</summary>
    public Task Authorizer(string name, object? more = null)
    {
        var request = new JsonObject { ["authorizerName"] = name, ["authorizerFunctionArn"] = House.FunctionAddress, ["signingDisabled"] = true };
        foreach (var (member, value) in System.Text.Json.JsonSerializer.SerializeToNode(more ?? new { })!.AsObject())
            request[member] = value?.DeepClone();
        return Call("CreateAuthorizer", request);
    }

    /// <summary>A presigned WebSocket address.</summary>
    public Uri Presigned() => Signer().Presign("GET", House.WebSocketAddress, TimeSpan.FromMinutes(5));
}

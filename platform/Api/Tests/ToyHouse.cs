using System.Net.Sockets;
using System.Text;
using Althing.Api;
using Althing.Api.SigV4;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Api;

/// <summary>The door alone, with the toy APIs behind it, on a real socket and a clock of its own.</summary>
public class ToyHouse : IAsyncLifetime
{
    readonly TemporaryStorage storage = new();
    WebApplication app = null!;

    public FakeTimeProvider Time { get; init; } = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    public Uri Address { get; private set; } = null!;
    public string Folder => storage.Folder;
    public HttpClient Http { get; } = new();
    public IServiceProvider Services => app.Services;

    /// <summary>Whose operations are served: the toys' unless a test wants others.</summary>
    public virtual IReadOnlyList<System.Reflection.Assembly> Assemblies => [typeof(ToyHouse).Assembly];

    /// <summary>What the services behind the door need.</summary>
    protected virtual void AddServices(IServiceCollection services) { }

    /// <summary>Limits to start with, for tests of throttling.</summary>
    internal ThrottleOptions Throttling { get; init; } = new();

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton(storage.Open)
            .AddSingleton(storage.Store)
            .AddSingleton(MasterKey.Open(storage.Folder))
            .AddSingleton<FirstStart>()
            .AddSingleton(Throttling)
            .AddAwsApis(Assemblies);
        AddServices(builder.Services);
        app = builder.Build();
        app.UseAwsApis();
        app.Run(http => http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes("a page")).AsTask());
        await app.StartAsync();
        Address = new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    /// <summary>A new account with an administrator.</summary>
    internal async Task<ToyAccount> NewAccount()
    {
        var id = new AccountId(Random.Shared.NextInt64(100_000_000_000, 999_999_999_999).ToString());
        var (key, secret) = await Services.GetRequiredService<FirstStart>().CreateAccount(id, null, default);
        return new(this, id, key.Id, secret);
    }

    /// <summary>Sends bytes as they are and answers all that comes back; nothing when the connection was cut.</summary>
    public async Task<string> Raw(string request, bool hangUp = false)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Address.Host, Address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request));
        if (hangUp)
            client.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        try
        {
            return await reader.ReadToEndAsync();
        }
        catch (IOException)
        {
            return "";
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        await storage.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

/// <summary>An account of a <see cref="ToyHouse"/> and its administrator's key.</summary>
sealed record ToyAccount(ToyHouse House, AccountId Id, string KeyId, Secret Secret)
{
    public SigV4Signer Signer(string service = "toy", string? token = null, TimeProvider? time = null) =>
        new(KeyId, Secret, "eu-north-1", service, time ?? House.Time, token);

    public Task<HttpResponseMessage> Send(string method, string path, string? body = null, string service = "toy", Action<HttpRequestMessage>? before = null, Action<HttpRequestMessage>? after = null) =>
        Send(method, path, body is null ? [] : Encoding.UTF8.GetBytes(body), service, before, after);

    public async Task<HttpResponseMessage> Send(string method, string path, byte[] body, string service, Action<HttpRequestMessage>? before = null, Action<HttpRequestMessage>? after = null)
    {
        // The path must reach the wire as it is written here.
        var uri = new Uri(House.Address, path);
        using var request = new HttpRequestMessage(new(method), uri);
        if (body.Length > 0)
            request.Content = new ByteArrayContent(body);
        before?.Invoke(request);
        Signer(service).Sign(request, body);
        after?.Invoke(request);
        return await House.Http.SendAsync(request);
    }
}

using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Api.SigV4;
using Althing.Iam.Administration;
using Althing.Identity;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Host;

/// <summary>
/// How the commands beside <c>up</c> do their work: by the APIs of the platform that runs on the data folder, or on the folder itself when
/// none does.
/// </summary>
abstract class Administrator : IAsyncDisposable
{
    /// <summary>What <see cref="Reach"/> asks of the command line.</summary>
    public static readonly IReadOnlyList<Option> Options =
    [
        DataFolder.Option,
        DataFolder.PostgreSql,
        new("account", "ID", "The account that is meant. Default: the first one"),
    ];

    /// <summary>Keys and accounts.</summary>
    public abstract IAdministration Accounts { get; }

    /// <summary>Calls an operation of the platform's own, which speak AWS JSON, as the account's administrator.</summary>
    /// <exception cref="AdministrationException">It was refused, or nobody answered.</exception>
    public abstract Task<JsonObject> Call(AwsApi api, string operation, JsonObject request, CancellationToken cancel);

    public abstract ValueTask DisposeAsync();

    /// <exception cref="FailedException">There is no platform in the folder.</exception>
    public static async Task<Administrator> Reach(Arguments arguments)
    {
        var options = DataFolder.Storage(arguments);
        var account = arguments.Account("account");
        if (!File.Exists(Path.Combine(options.Folder, MasterKey.FileName)))
            throw new FailedException($"There is no platform in '{options.Folder}'. Start it once with 'althing up', or say where it is with --data.");
        try
        {
            return await AtFolder.Open(options, account);
        }
        catch (DataFolderInUseException) when (DataFolder.AddressOfRunning(options.Folder) is { } address)
        {
            return new AtPlatform(address, options.Folder, account);
        }
    }

    sealed class AtPlatform : Administrator
    {
        readonly HttpClient http = new();
        readonly Uri address;
        readonly (string Id, Secret Secret) key;

        public AtPlatform(Uri address, string folder, AccountId? account)
        {
            this.address = address;
            var profile = account?.Value ?? CredentialsFile.DefaultProfile;
            key = CredentialsFile.Read(folder, profile)
                ?? throw new FailedException($"'{CredentialsFile.PathIn(folder)}' has no profile [{profile}] with a key to ask the running platform with. Stop the platform, and the command works without.");
            Accounts = new OnlineAdministration(http, address, key.Id, key.Secret, TimeProvider.System);
        }

        public override IAdministration Accounts { get; }

        public override async Task<JsonObject> Call(AwsApi api, string operation, JsonObject request, CancellationToken cancel)
        {
            var body = Encoding.UTF8.GetBytes(request.ToJsonString());
            using var message = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
            message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-amz-json-1.1");
            message.Headers.Add("X-Amz-Target", $"{api.TargetPrefix}.{operation}");
            new SigV4Signer(key.Id, key.Secret, HostOptions.UsualRegion, api.SigningNames[0], TimeProvider.System).Sign(message, body);
            try
            {
                using var response = await http.SendAsync(message, cancel);
                var answer = await response.Content.ReadAsStringAsync(cancel);
                var json = answer.Length > 0 ? JsonNode.Parse(answer)!.AsObject() : [];
                return response.IsSuccessStatusCode ? json : throw new AdministrationException(json["message"]?.GetValue<string>() ?? $"The platform answered {(int)response.StatusCode}.");
            }
            catch (HttpRequestException failure)
            {
                throw new AdministrationException($"The platform at {address} did not answer: {failure.Message}", failure);
            }
        }

        public override ValueTask DisposeAsync()
        {
            http.Dispose();
            return default;
        }
    }

    sealed class AtFolder : Administrator
    {
        readonly PlatformStorage storage;
        readonly ServiceProvider services;
        readonly AccountId account;

        AtFolder(PlatformStorage storage, ServiceProvider services, AccountId account)
        {
            (this.storage, this.services, this.account) = (storage, services, account);
            Accounts = new OfflineAdministration(storage.Store, services.GetRequiredService<MasterKey>(), TimeProvider.System, account);
        }

        public static async Task<AtFolder> Open(StorageOptions options, AccountId? asked)
        {
            var storage = PlatformStorage.Open(options);
            try
            {
                var master = MasterKey.Open(options.Folder);
                var accounts = await new FirstStart(storage.Store, new(storage.Store, master, TimeProvider.System), TimeProvider.System).Accounts(CancellationToken.None);
                var chosen = asked ?? accounts.MinBy(a => a.CreatedAt)?.Id ?? throw new FailedException($"'{options.Folder}' has no account yet. Start the platform once with 'althing up'.");
                if (!accounts.Any(a => a.Id == chosen))
                    throw new FailedException($"There is no account {chosen}. Make it with 'althing account create {chosen}'.");
                var collection = new ServiceCollection();
                collection.AddLogging();
                Services.Add(collection, storage, new() { Folder = options.Folder }, chosen);
                return new(storage, collection.BuildServiceProvider(), chosen);
            }
            catch
            {
                await storage.DisposeAsync();
                throw;
            }
        }

        public override IAdministration Accounts { get; }

        public override async Task<JsonObject> Call(AwsApi api, string operation, JsonObject request, CancellationToken cancel)
        {
            var root = new Caller { Account = account, Arn = $"arn:aws:iam::{account}:root", UserId = account.Value, Kind = CallerKind.Root, Region = HostOptions.UsualRegion };
            try
            {
                return await services.GetRequiredService<ApiClient>().Call(root, api.Name, operation, request, cancel);
            }
            catch (ServiceException refusal)
            {
                throw new AdministrationException(refusal.Message, refusal);
            }
        }

        public override async ValueTask DisposeAsync()
        {
            await services.DisposeAsync();
            await storage.DisposeAsync();
        }
    }
}

using Althing.Tests.Broker;

namespace Althing.Tests.Cluster;

[CollectionDefinition(nameof(TwoNodes))]
public sealed class TwoNodesTests : ICollectionFixture<TwoNodes>;

/// <summary>Two nodes on one PostgreSQL that all tests of the cluster use, and further ones that a test starts and ends.</summary>
public sealed class TwoNodes : IAsyncLifetime
{
    string postgres = "";

    internal House A { get; private set; } = null!;
    internal House B { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        postgres = PostgresServer.NewSchema();
        A = await House.Up(Options("a"));
        B = await House.Beside(A, Options("b"));
    }

    internal string[] Options(string name) => ["--postgres", postgres, "--mqtt", "0", "--anonymous", "--join", "--node", name];

    /// <summary>One node more.</summary>
    internal Task<House> Join(string name) => House.Beside(A, Options(name));

    internal string[] WithoutJoining => ["--postgres", postgres];

    internal static Task<TestClient> Client(House at, string id, bool clean = true, Action<TestConnect>? change = null) => TestClient.Connect(at.MqttPort!.Value, id, c =>
    {
        (c.Account, c.Password, c.CleanStart) = (null, null, clean);
        change?.Invoke(c);
    });

    /// <summary>A session that waits for its client.</summary>
    internal static async Task Away(House at, string id, string filter, int qos)
    {
        await using var client = await Client(at, id, clean: false);
        await client.Subscribe(filter, qos);
        await client.Disconnect();
        await client.Closed();
    }

    public async ValueTask DisposeAsync()
    {
        if (A is not null)
            await A.DisposeAsync();
        if (B is not null)
            await B.DisposeAsync();
    }
}

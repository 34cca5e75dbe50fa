using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Althing.Tests.ObjectStore;

/// <summary>Two real platforms: one keeps the buckets that are made at it at the other.</summary>
sealed class TwoHouses : IAsyncDisposable
{
    TwoHouses(House front, House store) => (Front, Store) = (front, store);

    public House Front { get; }
    public House Store { get; }

    /// <param name="options">Further ones of the platform in front.</param>
    public static async Task<TwoHouses> Up(params string[] options)
    {
        // On a port that it has again after a kill.
        var store = await House.Up("--http", FreePort().ToString(CultureInfo.InvariantCulture));
        try
        {
            return new(await House.Up([.. At(store), .. options]), store);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>The options that name a platform as the place of objects.</summary>
    public static string[] At(House store) => ["--objects", store.Endpoint.ToString(), "--objects-credentials", Path.Combine(store.Data, "credentials")];

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await Front.DisposeAsync();
        await Store.DisposeAsync();
    }
}

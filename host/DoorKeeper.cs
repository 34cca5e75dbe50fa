using System.Collections.Concurrent;
using System.Net;
using Althing.Broker;
using Althing.Sockets.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Althing.Host;

/// <summary>
/// Holds back floods before they cost anything: bounds the TLS handshakes under way, the connections that have not said who they are, and
/// how fast one address makes new ones.
/// </summary>
sealed partial class DoorKeeper(DoorLimits limits, TimeProvider clock) : IDisposable
{
    readonly ConcurrentDictionary<IPAddress, Guest> guests = new();
    readonly SemaphoreSlim handshakes = new(limits.HandshakesMax);
    int waiting;

    /// <summary>One address, and what it has at the doors.</summary>
    sealed class Guest(DoorLimits limits, long now)
    {
        readonly Lock gate = new();
        double saved = limits.ConnectionBurst;
        long at = now;
        int unknown;

        public SemaphoreSlim Handshakes { get; } = new(limits.HandshakesPerAddressMax);

        public bool HasNothingOpen => Volatile.Read(ref unknown) == 0;

        public bool TryEnter(DoorLimits limits, bool counted, TimeProvider clock)
        {
            lock (gate)
            {
                var now = clock.GetTimestamp();
                saved = Math.Min(limits.ConnectionBurst, saved + clock.GetElapsedTime(at, now).TotalSeconds * limits.ConnectionsPerSecondMax);
                at = now;
                if (unknown >= limits.UnknownPerAddressMax || (counted && limits.ConnectionsPerSecondMax > 0 && saved < 1))
                    return false;
                if (counted)
                    saved--;
                unknown++;
                return true;
            }
        }

        public void Known()
        {
            lock (gate)
                unknown--;
        }
    }

    /// <summary>A connection that is at the door: from its beginning until its client has said who it is.</summary>
    sealed class Visit(Guest guest, SemaphoreSlim handshakes) : IAdmission
    {
        int shaking;
        int known;

        public void Begin() => Volatile.Write(ref shaking, 1);

        /// <summary>The handshake is over.</summary>
        public void Shaken()
        {
            if (Interlocked.Exchange(ref shaking, 0) == 0)
                return;
            handshakes.Release();
            guest.Handshakes.Release();
        }

        public void Admitted()
        {
            if (Interlocked.Exchange(ref known, 1) == 0)
                guest.Known();
        }

        public void Over()
        {
            Shaken();
            Admitted();
        }
    }

    /// <summary>Stands before TLS.</summary>
    public ConnectionDelegate Enter(ConnectionDelegate next) => async connection =>
    {
        if (await Receive(connection) is not { } visit)
            return;
        try
        {
            await next(connection);
        }
        finally
        {
            visit.Over();
        }
    };

    /// <summary>Stands around the TLS of event loops and what comes behind it.</summary>
    public ConnectionDelegate Enter(TlsServerOptions tls, ConnectionDelegate next, ILogger logger) => async connection =>
    {
        if (await Receive(connection) is not { } visit)
            return;
        try
        {
            if (await LoopTls.Handshake(connection, tls) is { } why)
            {
                LogNoTls(logger, connection.RemoteEndPoint, why);
                return;
            }
            visit.Shaken();
            await next(connection);
        }
        finally
        {
            visit.Over();
        }
    };

    /// <summary>Waits for the connection's turn to make its handshake; null, and ended, when there is none.</summary>
    async ValueTask<Visit?> Receive(ConnectionContext connection)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        var guest = Find(address);
        if (Volatile.Read(ref waiting) >= limits.WaitingMax || !guest.TryEnter(limits, !IPAddress.IsLoopback(address), clock))
        {
            connection.Abort(new ConnectionAbortedException("Too many connections come at once."));
            return null;
        }
        var visit = new Visit(guest, handshakes);
        var entered = false;
        try
        {
            if (entered = await TakeTurn(guest, connection.ConnectionClosed))
            {
                visit.Begin();
                connection.Features.Set<IAdmission>(visit);
                return visit;
            }
            connection.Abort(new ConnectionAbortedException("Its turn for a handshake did not come."));
            return null;
        }
        finally
        {
            if (!entered)
                visit.Over();
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "No TLS with {Remote}: {Why}")]
    static partial void LogNoTls(ILogger logger, EndPoint? remote, string why);

    /// <summary>Stands behind TLS: the handshake is done.</summary>
    public static ConnectionDelegate Shaken(ConnectionDelegate next) => connection =>
    {
        (connection.Features.Get<IAdmission>() as Visit)?.Shaken();
        return next(connection);
    };

    /// <summary>Stands before HTTP, whose requests say for themselves who they are.</summary>
    public static void Admit(ConnectionContext connection) => connection.Features.Get<IAdmission>()?.Admitted();

    Guest Find(IPAddress address)
    {
        if (guests.TryGetValue(address, out var known))
            return known;
        if (guests.Count >= limits.AddressesMax)
        {
            foreach (var (other, guest) in guests)
            {
                if (guest.HasNothingOpen)
                    guests.TryRemove(new(other, guest));
            }
        }
        return guests.GetOrAdd(address, static (_, s) => new(s.limits, s.clock.GetTimestamp()), (limits, clock));
    }

    async ValueTask<bool> TakeTurn(Guest guest, CancellationToken gone)
    {
        if (guest.Handshakes.Wait(0, CancellationToken.None))
        {
            if (handshakes.Wait(0, CancellationToken.None))
                return true;
            guest.Handshakes.Release();
        }
        Interlocked.Increment(ref waiting);
        try
        {
            return await WaitFor(guest, gone);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    async ValueTask<bool> WaitFor(Guest guest, CancellationToken gone)
    {
        using var patience = new CancellationTokenSource(limits.WaitMax, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(gone, patience.Token);
        try
        {
            await guest.Handshakes.WaitAsync(both.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        try
        {
            await handshakes.WaitAsync(both.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            guest.Handshakes.Release();
            return false;
        }
    }

    public void Dispose() => handshakes.Dispose();
}

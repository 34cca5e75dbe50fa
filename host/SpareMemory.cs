using Althing.Sockets;
using Microsoft.Extensions.Hosting;

namespace Althing.Host;

/// <summary>
/// Gives back to the system what a busy time left behind once it is over. By themselves neither the collector nor the C library does, as long as
/// nothing asks for memory: ten thousand devices that came at once would cost for days what their coming cost.
/// </summary>
sealed class SpareMemory(TimeProvider time) : IHostedService, IDisposable
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(3);

    /// <summary>What has been allocated since the last time, at least.</summary>
    const long WorthItBytes = 24 << 20;

    /// <summary>With more allocated between two looks, the time is a busy one.</summary>
    const long QuietBytes = 4 << 20;

    /// <summary>Larger heaps are collected beside the work, as collecting them stops it for too long.</summary>
    const long PauseBytesMax = 256 << 20;

    ITimer? timer;
    long seen;
    long collectedAt;
    int looking;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        NativeMemory.UseFewArenas();
        timer = time.CreateTimer(_ => LookAround(), null, Look, Look);
        return Task.CompletedTask;
    }

    void LookAround()
    {
        if (Interlocked.Exchange(ref looking, 1) != 0)
            return;
        var allocated = GC.GetTotalAllocatedBytes();
        var lately = allocated - seen;
        seen = allocated;
        if (lately < QuietBytes && allocated - collectedAt > WorthItBytes)
        {
            collectedAt = allocated;
            GiveBack();
        }
        Volatile.Write(ref looking, 0);
    }

    static void GiveBack()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) > PauseBytesMax)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Optimized, blocking: false);
        else
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        NativeMemory.Trim();
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        timer?.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => timer?.Dispose();
}

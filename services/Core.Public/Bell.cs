using System.Threading.Channels;

namespace Althing.Core;

/// <summary>Wakes one who waits. Rung several times before, it wakes him once; rung after he has gone, it does nothing.</summary>
public sealed class Bell
{
    readonly Channel<bool> rung = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void Ring() => rung.Writer.TryWrite(true);

    public async ValueTask Wait(CancellationToken cancel) => await rung.Reader.ReadAsync(cancel);
}

namespace Althing.ObjectStore.Elsewhere;

/// <summary>How long another service may be silent. It runs while we wait for that service, and rests while we wait for our own client.</summary>
sealed class Patience : IDisposable
{
    readonly TimeSpan max;
    readonly CancellationTokenSource timer;
    readonly CancellationTokenSource both;

    /// <param name="cancel">Ends the waiting from outside.</param>
    public Patience(TimeSpan max, TimeProvider time, CancellationToken cancel)
    {
        this.max = max;
        timer = new(Timeout.InfiniteTimeSpan, time);
        both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
    }

    public CancellationToken Token => both.Token;
    public bool IsOver => timer.IsCancellationRequested;

    public void Begin() => timer.CancelAfter(max);

    public void Rest() => timer.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        both.Dispose();
        timer.Dispose();
    }
}

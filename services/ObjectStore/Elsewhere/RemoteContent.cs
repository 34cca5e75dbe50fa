using Althing.Storage;

namespace Althing.ObjectStore.Elsewhere;

/// <summary>An object's bytes as they come from another service. Ends with an exception when they break off or the service falls silent.</summary>
sealed class RemoteContent(HttpResponseMessage answer, Patience patience, TimeSpan silenceMax) : ReadingStream
{
    Stream? body;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        patience.Begin();
        try
        {
            body ??= await answer.Content.ReadAsStreamAsync(patience.Token);
            return await body.ReadAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            throw new IOException($"The service that keeps the object was silent for {silenceMax.TotalSeconds} seconds.");
        }
        finally
        {
            patience.Rest();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            answer.Dispose();
            patience.Dispose();
        }
        base.Dispose(disposing);
    }
}

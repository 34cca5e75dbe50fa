using Althing.Broker;

namespace Althing.Core.Authority;

/// <summary>Ends a connection that a signature opened when its time is over.</summary>
sealed class SignatureUpkeep : IDisposable
{
    /// <summary>"MQTT connection duration by authentication feature": Signature Version 4, up to 24 hours.</summary>
    static readonly TimeSpan DurationMax = TimeSpan.FromHours(24);

    readonly ITimer end;

    /// <param name="until">When the credentials end; null for those that do not.</param>
    public SignatureUpkeep(ConnectedDevice device, DateTimeOffset? until, TimeProvider clock)
    {
        var left = until - clock.GetUtcNow() is { } rest && rest < DurationMax ? rest : DurationMax;
        end = clock.CreateTimer(
            static d => ((ConnectedDevice)d!).Revoke(RevocationCause.WebSocketTime), device, left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => end.Dispose();
}

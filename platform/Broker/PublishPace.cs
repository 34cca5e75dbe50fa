namespace Althing.Broker;

/// <summary>
/// Holds one client to so many messages and bytes a second, by not reading from it for a while: nothing is lost, and it learns of it through
/// its own socket. A second's worth may come at once.
/// </summary>
sealed class PublishPace(TimeProvider time, int messagesPerSecond, int bytesPerSecond)
{
    long counted = time.GetTimestamp();
    double messages = messagesPerSecond;
    double bytes = bytesPerSecond;

    public static PublishPace? For(BrokerOptions options, TimeProvider time) =>
        options.PublishesPerSecondMax > 0 || options.BytesPerSecondMax > 0 ? new(time, options.PublishesPerSecondMax, options.BytesPerSecondMax) : null;

    /// <summary>Counts what came and answers how long to wait before reading on.</summary>
    public TimeSpan Take(long newMessages, long newBytes)
    {
        var seconds = time.GetElapsedTime(counted).TotalSeconds;
        counted = time.GetTimestamp();
        messages = Math.Min(messagesPerSecond, messages + (seconds * messagesPerSecond)) - newMessages;
        bytes = Math.Min(bytesPerSecond, bytes + (seconds * bytesPerSecond)) - newBytes;
        return TimeSpan.FromSeconds(Math.Max(Debt(messages, messagesPerSecond), Debt(bytes, bytesPerSecond)));
    }

    static double Debt(double left, int perSecond) => perSecond > 0 && left < 0 ? -left / perSecond : 0;
}

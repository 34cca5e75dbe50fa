namespace Althing.Broker;

/// <summary>Bytes that several queues take together.</summary>
sealed class QueueBudget
{
    long bytes;

    public long Bytes => Volatile.Read(ref bytes);

    public void Add(long more) => Interlocked.Add(ref bytes, more);
}

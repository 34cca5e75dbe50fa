using System.Diagnostics.CodeAnalysis;
using Althing.Storage;

namespace Althing.Ota.Delivery;

/// <summary>
/// Has devices' requests carried out, a few at a time: each client's in their order, and the clients by turns, so that who asks for much does
/// not keep others waiting. What waits is bounded for each client and for all.
/// </summary>
sealed class DeliveryDesk(StreamLimits limits)
{
    static readonly int WorkersMax = Math.Max(2, Environment.ProcessorCount);

    readonly Lock gate = new();
    readonly Dictionary<(AccountId, string), Queue<Func<Task>>> waiting = [];
    readonly Queue<(AccountId, string)> turns = new();
    int count;
    int workers;

    /// <summary>Takes work of one client that does not throw; false when too much waits already.</summary>
    public bool TryAdd(AccountId account, string client, Func<Task> work)
    {
        lock (gate)
        {
            var known = waiting.TryGetValue((account, client), out var queue);
            if (count >= limits.WaitingMax || queue?.Count >= limits.RequestsInFlightMax)
                return false;
            if (!known)
            {
                waiting[(account, client)] = queue = new();
                turns.Enqueue((account, client));
            }
            queue!.Enqueue(work);
            count++;
            if (known || workers >= WorkersMax)
                return true;
            workers++;
        }
        _ = Task.Run(Work);
        return true;
    }

    async Task Work()
    {
        while (TryTake(out var client, out var work))
        {
            await work();
            Return(client);
        }
    }

    bool TryTake(out (AccountId, string) client, [NotNullWhen(true)] out Func<Task>? work)
    {
        lock (gate)
        {
            if (turns.TryDequeue(out client))
            {
                // It stays in the queue while it is carried out, and counts.
                work = waiting[client].Peek();
                return true;
            }
            work = null;
            workers--;
            return false;
        }
    }

    void Return((AccountId, string) client)
    {
        lock (gate)
        {
            var queue = waiting[client];
            queue.Dequeue();
            count--;
            if (queue.Count > 0)
                turns.Enqueue(client);
            else
                waiting.Remove(client);
        }
    }
}

using Althing.Storage;

namespace Althing.Ota.Delivery;

/// <summary>
/// What was read of files lately, in large ranges: many devices that fetch the same file at about the same time cost one reading of it. The
/// oldest range goes when there are too many bytes.
/// </summary>
sealed class RangeCache(StreamLimits limits)
{
    readonly Lock gate = new();
    readonly Dictionary<RangeKey, LinkedListNode<Range>> known = [];
    readonly LinkedList<Range> byUse = new();
    long bytes;

    sealed record Range(RangeKey Key, Task<byte[]?> Content, int Bytes);

    /// <summary>Bytes of all ranges that are kept.</summary>
    public long Bytes
    {
        get
        {
            lock (gate)
                return bytes;
        }
    }

    /// <summary>The range, read once for all who ask for it meanwhile; null when there is nothing to read any more.</summary>
    /// <param name="length">How long it is.</param>
    public async Task<byte[]?> Get(RangeKey key, int length, Func<Task<byte[]?>> read)
    {
        Task<byte[]?> content;
        lock (gate)
        {
            if (known.TryGetValue(key, out var node))
            {
                byUse.Remove(node);
                byUse.AddLast(node);
            }
            else
            {
                // Off this thread: reading must not begin within the lock.
                known[key] = node = byUse.AddLast(new Range(key, Task.Run(read), length));
                bytes += length;
                while (bytes > limits.CachedBytesMax && byUse.Count > 1)
                    Remove(byUse.First!);
            }
            content = node.Value.Content;
        }
        try
        {
            if (await content is { } found)
                return found;
        }
        catch
        {
            Forget(key, content);
            throw;
        }
        Forget(key, content);
        return null;
    }

    void Forget(RangeKey key, Task<byte[]?> content)
    {
        lock (gate)
        {
            if (known.TryGetValue(key, out var node) && node.Value.Content == content)
                Remove(node);
        }
    }

    void Remove(LinkedListNode<Range> node)
    {
        byUse.Remove(node);
        known.Remove(node.Value.Key);
        bytes -= node.Value.Bytes;
    }
}

/// <summary>A range of one content of an object. Two contents of a key differ in version or ETag.</summary>
readonly record struct RangeKey(AccountId Account, string Bucket, string Key, string Version, string ETag, long Index);

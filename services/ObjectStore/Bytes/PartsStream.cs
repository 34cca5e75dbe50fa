using Althing.ObjectStore.Objects;
using Althing.ObjectStore.Uploads;
using Althing.Storage;

namespace Althing.ObjectStore.Bytes;

/// <summary>The parts of an object one behind the other, each opened when it is reached. While it is open, no part is removed.</summary>
sealed class PartsStream(ContentKeeper keeper, AccountId account, ObjectContent content, IReadOnlyList<Part> parts, long offset, long bytes) : ReadingStream
{
    int next;
    long skip = offset;
    long left = bytes;
    Stream? open;
    bool closed;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (left > 0 && buffer.Length > 0)
        {
            if (open is null && !await OpenNext(cancellationToken))
                throw new InvalidDataException($"Content {content.Id} of account {account} has fewer bytes than its row says. Restore it from a backup.");
            var read = await open!.ReadAsync(buffer[..(int)Math.Min(buffer.Length, left)], cancellationToken);
            left -= read;
            if (read > 0)
                return read;
            await open.DisposeAsync();
            open = null;
        }
        return 0;
    }

    async ValueTask<bool> OpenNext(CancellationToken cancel)
    {
        while (next < parts.Count && skip >= parts[next].Bytes)
            skip -= parts[next++].Bytes;
        if (next == parts.Count)
            return false;
        var part = parts[next++];
        open = await keeper.OpenPart(account, part, skip, Math.Min(part.Bytes - skip, left), cancel)
            ?? throw new InvalidDataException($"Part {part.Number} of content {content.Id} of account {account} is gone. Restore it from a backup.");
        skip = 0;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !closed)
        {
            closed = true;
            open?.Dispose();
            keeper.LetGo(content.Id);
        }
        base.Dispose(disposing);
    }
}

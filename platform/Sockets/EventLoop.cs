using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Althing.Sockets;

/// <summary>Has something to do when an event loop has been through all that was ready.</summary>
public interface ITurnEnd
{
    /// <summary>Called once for each registration, on the loop's thread.</summary>
    void TurnEnds();
}

/// <summary>
/// A thread that waits for its sockets and runs what waits for their bytes, right there: nothing it runs may block. What all sockets that are
/// ready together cause to be written goes out at the turn's end, so that many messages for one receiver share one write.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A loop lives as long as the process.")]
public sealed class EventLoop
{
    const uint Interest = Epoll.In | Epoll.Out | Epoll.HalfClosed | Epoll.Changes;

    /// <summary>A turn ends early when so many bytes were read, so that what waits to be written stays small.</summary>
    const int TurnBytes = 1 << 18;

    /// <summary>No socket's: theirs begin with 1.</summary>
    const int WakerTag = 0;

    /// <summary>A turn runs no more than this many that were posted.</summary>
    const int PostedMax = 1024;

    static int nextLoop;

    [ThreadStatic]
    static EventLoop? current;

    readonly Epoll epoll = new();
    readonly ConcurrentDictionary<int, SocketPipe> pipes = new();
    readonly List<ITurnEnd> ends = [];
    readonly ConcurrentQueue<Action> posted = new();
    readonly int waker = Epoll.MakeWaker();
    Queue<SocketPipe> again = [];
    Queue<SocketPipe> more = [];
    int lastTag;
    int turnBytes;
    int isWoken;

    EventLoop(int number)
    {
        epoll.Watch(waker, WakerTag, Epoll.In | Epoll.Changes);
        new Thread(Run) { IsBackground = true, Name = $"sockets {number}" }.Start();
    }

    /// <summary>The loop whose thread this is; null on every other thread.</summary>
    public static EventLoop? Current => current;

    /// <summary>Runs it when this turn ends. Called on the loop's thread only.</summary>
    public void WhenTurnEnds(ITurnEnd end) => ends.Add(end);

    /// <summary>Runs something on the loop's thread: in this turn when called there, else in one that begins at once. It must not throw.</summary>
    public void Post(Action work)
    {
        posted.Enqueue(work);
        if (current != this && Interlocked.Exchange(ref isWoken, 1) == 0)
            Epoll.Wake(waker);
    }

    internal static EventLoop Next() => Loops.All[(uint)Interlocked.Increment(ref nextLoop) % Loops.All.Length];

    /// <summary>Begun with the first socket: a process without any has no such threads, nor a system without epoll.</summary>
    static class Loops
    {
        // The other half of the processors is for storage, TLS, the APIs.
        public static readonly EventLoop[] All = [.. Enumerable.Range(0, Math.Max(1, Environment.ProcessorCount / 2)).Select(n => new EventLoop(n))];
    }

    /// <summary>Lets a socket's pipe know of its events from now on; answers its tag.</summary>
    internal int Add(SocketPipe pipe, int fd)
    {
        var tag = Interlocked.Increment(ref lastTag);
        pipes[tag] = pipe;
        epoll.Watch(fd, tag, Interest);
        return tag;
    }

    internal void Remove(int tag) => pipes.TryRemove(tag, out _);

    /// <summary>Comes back to a socket that has more to read when the others had their turn. Called on the loop's thread only.</summary>
    internal void ComeBack(SocketPipe pipe) => more.Enqueue(pipe);

    internal void Count(int bytes) => turnBytes += bytes;

    void Run()
    {
        current = this;
        while (true)
        {
            var events = epoll.Wait(more.Count > 0 || !posted.IsEmpty ? 0 : -1);
            Interlocked.Exchange(ref isWoken, 0);
            (again, more) = (more, again);
            for (var i = 0; i < events; i++)
            {
                var (tag, ready) = epoll.At(i);
                if (pipes.TryGetValue(tag, out var pipe))
                    pipe.Ready(ready);
                EndTurn(onlyWhenLong: true);
            }
            while (again.TryDequeue(out var pipe))
            {
                pipe.ReadOn();
                EndTurn(onlyWhenLong: true);
            }
            RunPosted();
            EndTurn(onlyWhenLong: false);
        }
    }

    /// <summary>What is posted meanwhile by others waits for the next turn, so that this one ends.</summary>
    void RunPosted()
    {
        for (var left = PostedMax; left > 0 && posted.TryDequeue(out var work); left--)
        {
            work();
            EndTurn(onlyWhenLong: true);
        }
    }

    void EndTurn(bool onlyWhenLong)
    {
        if (onlyWhenLong && turnBytes < TurnBytes)
            return;
        turnBytes = 0;
        // What ends one turn may begin to wait for the next.
        for (var i = 0; i < ends.Count; i++)
            ends[i].TurnEnds();
        ends.Clear();
    }
}

using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Althing.Sockets;

/// <summary>A connected socket on an event loop, for who has no listener of Kestrel's. Linux only.</summary>
public sealed class LoopSocket : IDuplexPipe, IDisposable
{
    readonly SocketPipe pipe;

    /// <param name="socket">Nothing has been awaited on it; it belongs to this object from now on.</param>
    /// <param name="readBytes">Read at once, if there are so many.</param>
    public LoopSocket(Socket socket, int readBytes)
    {
        pipe = new(socket, readBytes);
        pipe.Open();
    }

    /// <summary>Reads that had to wait go on here.</summary>
    public EventLoop Loop => pipe.Loop;
    public PipeReader Input => pipe.Input;
    public PipeWriter Output => pipe.Output;

    /// <summary>Ends the stream both ways: who waits learns of it.</summary>
    public void Abort() => pipe.Abort();

    /// <summary>Nobody reads any more.</summary>
    public void Dispose() => pipe.Close();
}

/// <summary>Waits for a task and goes on on an event loop's thread, or on the thread pool where there is no loop: never where the task was completed.</summary>
public readonly struct LoopReturn(Task task, EventLoop? loop) : ICriticalNotifyCompletion
{
    readonly Task task = task;
    readonly EventLoop? loop = loop;

    public LoopReturn GetAwaiter() => this;
    public bool IsCompleted => task.IsCompleted;
    public void GetResult() => task.GetAwaiter().GetResult();
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        var to = loop;
        task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(to is not null ? () => to.Post(continuation)
            : () => ThreadPool.UnsafeQueueUserWorkItem(static c => c(), continuation, preferLocal: false));
    }
}

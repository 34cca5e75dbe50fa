using System.Runtime.InteropServices;

namespace Althing.Sockets;

/// <summary>Linux's readiness calls (epoll(7)) and reads and writes that never wait, so that one thread can keep many sockets going.</summary>
public sealed partial class Epoll : IDisposable
{
    /// <summary>There are bytes to read, or the stream has ended.</summary>
    public const uint In = 1;

    /// <summary>The socket takes bytes.</summary>
    public const uint Out = 4;

    /// <summary>The other side writes no more.</summary>
    public const uint HalfClosed = 0x2000;

    /// <summary>Tells of changes only: one who was told reads or writes until the socket has no more.</summary>
    public const uint Changes = 0x8000_0000;

    const int Add = 1;
    const int Modify = 3;
    const int WouldBlock = 11;
    const int NoSignal = 0x4000;
    const int DontWait = 0x40;

    readonly int handle = Check(Create(0), "epoll_create1");
    readonly byte[] events = new byte[EventBytes * EventsMax];

    const int EventsMax = 512;
    static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    static readonly int DataOffset = EventBytes - 8;

    /// <summary>Watches a socket until it is closed.</summary>
    /// <param name="tag">What <see cref="At"/> names the socket by.</param>
    public void Watch(int fd, int tag, uint interest) => Check(Control(handle, Add, fd, Event(tag, interest)), "epoll_ctl");

    /// <summary>Watches a socket for something else.</summary>
    public void Change(int fd, int tag, uint interest) => Check(Control(handle, Modify, fd, Event(tag, interest)), "epoll_ctl");

    static byte[] Event(int tag, uint interest)
    {
        var bytes = new byte[EventBytes];
        BitConverter.TryWriteBytes(bytes, interest);
        BitConverter.TryWriteBytes(bytes.AsSpan(DataOffset), (long)tag);
        return bytes;
    }

    /// <summary>Waits for events and answers how many there are; <see cref="At"/> reads them.</summary>
    /// <param name="milliseconds">The longest wait; -1 for no end.</param>
    public int Wait(int milliseconds) => Math.Max(0, WaitFor(handle, events, EventsMax, milliseconds));

    /// <summary>One of the events of the last wait.</summary>
    public (int Tag, uint Ready) At(int index)
    {
        var one = events.AsSpan(index * EventBytes);
        return ((int)BitConverter.ToInt64(one[DataOffset..]), BitConverter.ToUInt32(one));
    }

    /// <summary>Makes something that can be watched and that <see cref="Wake"/> makes ready, as often as it is called (eventfd(2)).</summary>
    public static int MakeWaker() => Check(MakeEvents(0, EventsDontWait | EventsCloseOnExec), "eventfd");

    public static void Wake(int waker) => _ = AddEvents(waker, 1);

    const int EventsDontWait = 0x800;
    const int EventsCloseOnExec = 0x80000;

    /// <summary>Bytes written; 0 when the socket takes none now.</summary>
    public static int Write(int fd, ReadOnlySpan<byte> bytes) => Result(Send(fd, bytes, bytes.Length, NoSignal | DontWait), "send");

    /// <summary>Bytes read; 0 when there are none, -1 at the end of the stream.</summary>
    public static int Read(int fd, Span<byte> bytes)
    {
        var read = Receive(fd, bytes, bytes.Length, DontWait);
        return read == 0 ? -1 : Result(read, "recv");
    }

    static int Result(nint result, string call) =>
        result >= 0 ? (int)result : Marshal.GetLastPInvokeError() == WouldBlock ? 0 : throw new IOException($"{call} failed with error {Marshal.GetLastPInvokeError()}.");

    static int Check(int result, string call) => result >= 0 ? result : throw new IOException($"{call} failed with error {Marshal.GetLastPInvokeError()}.");

    public void Dispose() => _ = Close(handle);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int epoll, int operation, int fd, byte[] description);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int WaitFor(int epoll, byte[] events, int eventsMax, int milliseconds);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int fd, ReadOnlySpan<byte> bytes, nint count, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int fd, Span<byte> bytes, nint count, int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int MakeEvents(uint count, int flags);

    [LibraryImport("libc", EntryPoint = "eventfd_write")]
    private static partial int AddEvents(int fd, ulong count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}

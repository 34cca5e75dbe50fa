using System.Runtime.InteropServices;

namespace Althing.Bench;

/// <summary>Linux's readiness calls and plain reads and writes, so that one thread of the generator can keep a server busy.</summary>
sealed partial class Epoll : IDisposable
{
    public const uint In = 1;
    public const uint Out = 4;
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

    public void Watch(int fd, int tag, uint interest) => Check(Control(handle, Add, fd, Event(tag, interest)), "epoll_ctl");

    public void Change(int fd, int tag, uint interest) => Check(Control(handle, Modify, fd, Event(tag, interest)), "epoll_ctl");

    static byte[] Event(int tag, uint interest)
    {
        var bytes = new byte[EventBytes];
        BitConverter.TryWriteBytes(bytes, interest);
        BitConverter.TryWriteBytes(bytes.AsSpan(DataOffset), (long)tag);
        return bytes;
    }

    /// <summary>Waits for events and answers how many there are; <see cref="At"/> reads them.</summary>
    public int Wait(int milliseconds) => Math.Max(0, WaitFor(handle, events, EventsMax, milliseconds));

    public (int Tag, uint Ready) At(int index)
    {
        var one = events.AsSpan(index * EventBytes);
        return ((int)BitConverter.ToInt64(one[DataOffset..]), BitConverter.ToUInt32(one));
    }

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

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}

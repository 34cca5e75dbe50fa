using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Althing.Sockets;

/// <summary>A connected socket as the system knows it, a number: an idle connection needs no object around it.</summary>
static partial class Descriptor
{
    const int GetFlags = 3;
    const int SetFlags = 4;
    const int NonBlocking = 0x800;
    const int BothWays = 2;
    const int SocketLevel = 1;
    const int LingerOption = 13;

    /// <summary>Takes the socket out of its object, which is not to be used any more. It never blocks from now on.</summary>
    public static int TakeFrom(Socket socket)
    {
        var handle = socket.SafeHandle;
        var fd = (int)handle.DangerousGetHandle();
        NeverBlock(fd);
        // The object does not close it any more.
        handle.SetHandleAsInvalid();
        return fd;
    }

    public static void NeverBlock(int fd)
    {
        var flags = Control(fd, GetFlags, 0);
        if (flags < 0 || Control(fd, SetFlags, flags | NonBlocking) < 0)
            throw new IOException($"fcntl failed with error {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Ends the stream both ways at once: whatever waits to be sent is dropped.</summary>
    public static void Break(int fd)
    {
        ReadOnlySpan<int> lingerNoTime = [1, 0];
        _ = SetOption(fd, SocketLevel, LingerOption, lingerNoTime, sizeof(int) * 2);
        _ = Shutdown(fd, BothWays);
    }

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int fd, int command, int argument);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    private static partial int Shutdown(int fd, int how);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    private static partial int SetOption(int fd, int level, int name, ReadOnlySpan<int> value, int bytes);
}

using System.Runtime.InteropServices;

namespace Althing.Sockets;

/// <summary>What the C library keeps of memory that OpenSSL and SQLite gave back to it. Does nothing where that is not GNU's.</summary>
public static partial class NativeMemory
{
    /// <summary>M_ARENA_MAX: each thread would have an arena of its own, and what lies between two things that live stays with it.</summary>
    const int ArenasMaxOption = -8;
    const int ArenasMax = 2;

    /// <summary>Has all threads share few arenas. Those that are there already stay.</summary>
    public static void UseFewArenas() => Try(static () => SetOption(ArenasMaxOption, ArenasMax));

    /// <summary>Gives back to the system what is free.</summary>
    public static void Trim() => Try(static () => Trim(0));

    static void Try(Func<int> call)
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            call();
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keep);
}

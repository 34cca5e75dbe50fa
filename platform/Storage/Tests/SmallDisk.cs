using System.Diagnostics;

namespace Althing.Tests.Storage;

/// <summary>A file system of a few megabytes in memory. Mounting needs rights that a container may not give: then the test is skipped.</summary>
sealed class SmallDisk : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("althing-disk-").FullName;

    public static SmallDisk Mount(int megabytes)
    {
        var disk = new SmallDisk();
        if (Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "none", disk.Folder) == 0)
            return disk;
        Directory.Delete(disk.Folder);
        Assert.Skip("A small file system cannot be mounted here (needs root with CAP_SYS_ADMIN): the full disk is not tested.");
        return disk;
    }

    static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    public void Dispose()
    {
        Assert.Equal(0, Run("umount", Folder));
        Directory.Delete(Folder);
    }
}

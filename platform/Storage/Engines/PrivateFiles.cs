namespace Althing.Storage.Engines;

/// <summary>Files and folders that only their owner can read, from their first moment on.</summary>
static class PrivateFiles
{
    const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static FileStream Create(string path, FileAccess access = FileAccess.ReadWrite)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = access };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Mine;
        return new(path, options);
    }

    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, Mine | UnixFileMode.UserExecute);
    }

    public static int ModeOf(string path) => OperatingSystem.IsWindows() ? (int)Mine : (int)File.GetUnixFileMode(path);

    public static void SetMode(string path, int mode)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, (UnixFileMode)mode & (UnixFileMode)0x1FF);
    }
}

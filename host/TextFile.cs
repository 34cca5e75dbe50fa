namespace Althing.Host;

/// <summary>Files that are named on the command line.</summary>
static class TextFile
{
    /// <exception cref="FailedException">It cannot be read.</exception>
    public static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new FailedException($"'{path}' cannot be read: {failure.Message}");
        }
    }
}

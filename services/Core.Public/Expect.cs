using Althing.Api;

namespace Althing.Core;

/// <summary>Optimistic locks: what a caller believes to be the version of a resource.</summary>
public static class Expect
{
    /// <exception cref="ServiceException">VersionConflictException.</exception>
    public static void Version(string kind, string name, long version, long? expected)
    {
        if (expected is { } wanted && wanted != version)
            throw Refuse.VersionConflict($"The {kind} '{name}' has version {version}, not the expected version {wanted}. Read it again and decide anew.");
    }
}

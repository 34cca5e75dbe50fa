namespace Althing.Identity;

/// <summary>The data folder's <c>credentials</c>, as the AWS tools read it (AWS_SHARED_CREDENTIALS_FILE): a section for each profile.</summary>
public static class CredentialsFile
{
    public const string FileName = "credentials";
    public const string DefaultProfile = "default";

    const string IdName = "aws_access_key_id";
    const string SecretName = "aws_secret_access_key";

    public static string PathIn(string folder) => Path.Combine(folder, FileName);

    /// <summary>A profile's key; null when the file has none, or there is no file.</summary>
    public static (string Id, Secret Secret)? Read(string folder, string profile = DefaultProfile)
    {
        if (!File.Exists(PathIn(folder)))
            return null;
        var settings = Settings(PathIn(folder), profile);
        return settings.TryGetValue(IdName, out var id) && settings.TryGetValue(SecretName, out var secret) ? (id, new(secret)) : null;
    }

    /// <summary>All that a file of this kind says of a profile.</summary>
    public static IReadOnlyDictionary<string, string> Settings(string path, string profile)
    {
        string? section = null;
        Dictionary<string, string> settings = new(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(path).Select(l => l.Trim()))
        {
            if (Section(line) is { } name)
                section = name;
            else if (section == profile && line.Split('=', 2, StringSplitOptions.TrimEntries) is [var key, var value])
                settings[key] = value;
        }
        return settings;
    }

    /// <summary>Writes a profile's key; other profiles stay as they are. Mode 0600.</summary>
    public static void Put(string folder, string profile, string id, Secret secret)
    {
        List<string> kept = [];
        var replaced = false;
        foreach (var line in File.Exists(PathIn(folder)) ? File.ReadAllLines(PathIn(folder)) : [])
        {
            if (Section(line.Trim()) is { } name)
                replaced = name == profile;
            if (!replaced)
                kept.Add(line);
        }
        string[] section = [$"[{profile}]", $"{IdName} = {id}", $"{SecretName} = {secret.Value}"];
        // The default stands first, where people look.
        IEnumerable<string> all = profile == DefaultProfile ? [.. section, .. kept] : [.. kept, .. section];
        PrivateFile.Write(PathIn(folder), string.Join('\n', all) + "\n");
    }

    static string? Section(string line) => line is ['[', .. var name, ']'] ? name.Trim() : null;
}

using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;

namespace Althing.Identity;

/// <summary>The console administrator's password: written once for a person to read, kept as a slow hash.</summary>
public sealed class ConsolePassword(string folder, TimeProvider time)
{
    public const string FileName = "console-password";
    public const string HashFileName = "console-password.hash";

    /// <summary>OWASP's figure for PBKDF2 with SHA-256 (2023).</summary>
    const int Iterations = 600_000;
    const int FailuresMax = 10;
    static readonly TimeSpan FailureWindow = TimeSpan.FromMinutes(5);

    readonly Lock gate = new();
    readonly Queue<DateTimeOffset> failures = new();

    internal static void Create(string folder)
    {
        var password = RandomNumberGenerator.GetString("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", 20);
        PrivateFile.Write(Path.Combine(folder, FileName), password + "\n");
        PrivateFile.Write(Path.Combine(folder, HashFileName), PasswordHash.Make(password, Iterations));
    }

    /// <summary>Judges a password in constant time; after ten wrong ones in five minutes every further one is refused unread.</summary>
    public bool Check(string password)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            while (failures.TryPeek(out var oldest) && now - oldest > FailureWindow)
                failures.Dequeue();
            if (failures.Count >= FailuresMax)
                return false;
            if (PasswordHash.Check(password, File.ReadAllText(Path.Combine(folder, HashFileName)).Trim()))
                return true;
            failures.Enqueue(now);
            return false;
        }
    }
}

/// <summary>Slow hashes of passwords: PBKDF2-SHA256, as <c>iterations:salt:hash</c> in hexadecimal.</summary>
public static class PasswordHash
{
    public static string Make(string password, int iterations)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return $"{iterations}:{Convert.ToHexStringLower(salt)}:{Convert.ToHexStringLower(Hash(password, salt, iterations))}";
    }

    /// <summary>False too for a stored text that is no hash.</summary>
    public static bool Check(string password, string stored)
    {
        var (salt, hash) = (new byte[16], new byte[32]);
        return stored.Split(':') is [var count, { Length: 32 } saltText, { Length: 64 } hashText]
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) && iterations > 0
            && Convert.FromHexString(saltText, salt, out _, out _) == OperationStatus.Done
            && Convert.FromHexString(hashText, hash, out _, out _) == OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(Hash(password, salt, iterations), hash);
    }

    static byte[] Hash(string password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, 32);
}

using System.Security.Cryptography;

namespace Althing.Identity;

/// <summary>Ids in the shapes that AWS gives them, which some clients check.</summary>
public static class PrincipalIds
{
    const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const string SecretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    public static string User() => "AIDA" + RandomNumberGenerator.GetString(Base32, 16);
    public static string Role() => "AROA" + RandomNumberGenerator.GetString(Base32, 16);
    public static string AccessKey() => "AKIA" + RandomNumberGenerator.GetString(Base32, 16);
    public static string TemporaryKey() => "ASIA" + RandomNumberGenerator.GetString(Base32, 16);
    public static Secret SecretKey() => new(RandomNumberGenerator.GetString(SecretAlphabet, 40));
}

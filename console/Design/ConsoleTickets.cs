using System.Security.Cryptography;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.DataProtection;

namespace Althing.Design;

/// <summary>
/// What a page puts into the addresses that its browser sends files to and gets them from. It says for which account the page works, and
/// nobody but a page can make it: a request that another site makes a signed-in browser send has none and is refused.
/// </summary>
public sealed class ConsoleTickets(IDataProtectionProvider protection, TimeProvider time)
{
    /// <summary>Where such addresses are. They need the sign-in besides.</summary>
    public const string DoorPath = "/console/door";

    /// <summary>A page may stand open for long; whoever opens another one has a new ticket.</summary>
    static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    readonly IDataProtector protector = protection.CreateProtector("console-ticket");

    /// <summary>The address by which this browser reads (GET) or writes (PUT) an object.</summary>
    /// <param name="version">A version's id; null for the latest.</param>
    public string ObjectAddress(ConsoleSession session, string bucket, string key, string? version = null)
    {
        var ticket = protector.Protect($"{time.GetUtcNow().Add(Lifetime).ToUnixTimeSeconds()} {session.Account} {session.Region}");
        var address = $"{DoorPath}/s3?bucket={Uri.EscapeDataString(bucket)}&key={Uri.EscapeDataString(key)}&ticket={ticket}";
        return version is null ? address : $"{address}&version={Uri.EscapeDataString(version)}";
    }

    /// <summary>As whom a request with this ticket calls operations; null when the ticket is none, or too old.</summary>
    public Caller? CallerOf(string? ticket)
    {
        try
        {
            var parts = protector.Unprotect(ticket ?? "").Split(' ');
            return long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture) > time.GetUtcNow().ToUnixTimeSeconds()
                ? ConsoleSession.CallerOf(new AccountId(parts[1]), parts[2]) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}

using Althing.Broker;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Authority;

/// <summary>A user or role that opened a WebSocket with its signature; its identity policies say what it may do.</summary>
sealed record IamPrincipal(AccountId Account, string Id, string Arn) : DevicePrincipal(Account, Id, Arn)
{
    public required string AccessKeyId { get; init; }

    /// <summary>The token of temporary credentials; null for long-lived keys.</summary>
    public string? SessionToken { get; init; }
    public required string Region { get; init; }

    /// <summary>What the signed request said besides, such as <c>aws:SecureTransport</c>.</summary>
    public required IReadOnlyDictionary<string, string> Context { get; init; }

    public static IamPrincipal Of(Caller caller, string? sessionToken) => new(caller.Account, caller.UserId, caller.Arn)
    {
        AccessKeyId = caller.AccessKeyId!,
        SessionToken = sessionToken,
        Region = caller.Region,
        Context = caller.Context,
    };

    // Without the token, which records would print.
    public override string ToString() => Arn;
}

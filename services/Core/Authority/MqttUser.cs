using Althing.Broker;
using Althing.Storage;

namespace Althing.Core.Authority;

/// <summary>A name and password that the administrator made for clients of the plain MQTT listener.</summary>
sealed record MqttUser
{
    public static readonly Table<MqttUser> Table = new("mqtt-users", u => (u.Account, u.Name));

    const string IdPrefix = "mqtt-user/";

    public required AccountId Account { get; init; }
    public required string Name { get; init; }

    /// <summary>The region that ARNs have when the user's policies are judged.</summary>
    public required string Region { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required byte[] Salt { get; init; }

    /// <summary>PBKDF2 with HMAC-SHA-256 over the password.</summary>
    public required byte[] Hash { get; init; }
    public required int Iterations { get; init; }
    public IReadOnlyList<string> PolicyNames { get; init; } = [];
    public IReadOnlyList<string> PolicyDocuments { get; init; } = [];

    /// <summary>Client ids that the user may connect with, <c>*</c> for any run of characters; null for every one.</summary>
    public string? ClientIdPattern { get; init; }

    public DevicePrincipal Principal => new(Account, IdPrefix + Name, $"arn:aws:iot:{Region}:{Account}:{IdPrefix}{Name}");

    public static string? NameOf(DevicePrincipal principal) =>
        principal.Id.StartsWith(IdPrefix, StringComparison.Ordinal) ? principal.Id[IdPrefix.Length..] : null;
}

/// <summary>Which account a user name belongs to: a client of the plain listener names no account.</summary>
sealed record MqttUserOwner
{
    public static readonly Table<MqttUserOwner> Table = new("mqtt-user-owners", o => (AccountId.Platform, o.Name));

    public required string Name { get; init; }
    public required AccountId Owner { get; init; }
}

using System.Text.RegularExpressions;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.RoleAliases;

/// <summary>A name under which devices ask the credential provider for a role.</summary>
sealed partial record RoleAlias
{
    public static readonly Table<RoleAlias> Table = new("role-aliases", a => (a.Account, a.Name),
        Index<RoleAlias>.On("created", a => $"{a.CreatedAt.ToUnixTimeMilliseconds():D15}"));

    /// <summary>Service quota "Maximum number of role aliases registered in your account".</summary>
    public const int PerAccountMax = 100;

    public const int CredentialSecondsDefault = 3600;

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public required string RoleArn { get; init; }
    public required int CredentialSeconds { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }

    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "rolealias/" + name);

    /// <summary>What the alias' tags are kept under.</summary>
    public static string TagKey(string name) => "iot:rolealias/" + name;

    /// <exception cref="Api.ServiceException">InvalidRequestException.</exception>
    public static void CheckRole(string? arn)
    {
        if (arn is not null && !RoleArnForm().IsMatch(arn))
            throw Refuse.InvalidRequest($"'{arn}' is not the ARN of a role: arn:aws:iam::000000000000:role/NAME.");
    }

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public static async ValueTask<Row<RoleAlias>> Require(IStore store, AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no role alias '{name}'. ListRoleAliases shows those there are.");

    [GeneratedRegex(@"\Aarn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+\z")]
    private static partial Regex RoleArnForm();
}

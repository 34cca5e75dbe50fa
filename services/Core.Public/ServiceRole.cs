using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core;

/// <summary>Roles that an account gives the platform, for what it does on the account's behalf.</summary>
public static class ServiceRole
{
    /// <summary>Who such a role must trust.</summary>
    public const string Service = "iot.amazonaws.com";

    /// <exception cref="ServiceException">InvalidRequestException: there is no such role, or it does not trust AWS IoT.</exception>
    public static async ValueTask<Role> Require(IStore store, AccountId account, string arn, CancellationToken cancel)
    {
        if (await Find(store, account, arn, cancel) is not { } role)
            throw Refuse.InvalidRequest($"There is no role {arn} in this account.");
        return Trusts(role) ? role : throw Refuse.InvalidRequest($"The role {arn} does not trust {Service}.");
    }

    /// <summary>The role, if the account has it and it trusts AWS IoT; else null.</summary>
    public static async ValueTask<Role?> FindTrusting(IStore store, AccountId account, string arn, CancellationToken cancel) =>
        await Find(store, account, arn, cancel) is { } role && Trusts(role) ? role : null;

    /// <summary>Whether the role's policies allow this.</summary>
    public static bool Allows(Role role, string action, string resource) => PolicyEvaluator
        .Evaluate([.. role.Policies.Values.Select(p => PolicyDocument.Parse(p))], new(action, resource, new Dictionary<string, string>()))
        .Allowed;

    /// <summary>The role, whomever it trusts; null when the account has none of this ARN.</summary>
    public static async ValueTask<Role?> Find(IStore store, AccountId account, string arn, CancellationToken cancel)
    {
        var row = await store.Get(Role.Table, account, Role.KeyOf(arn[(arn.LastIndexOf('/') + 1)..]), cancel);
        return row?.Value is { } role && role.Arn == arn ? role : null;
    }

    static bool Trusts(Role role) => TrustPolicy.TrustsService(PolicyDocument.Parse(role.TrustPolicy, PolicyKind.Trust), Service, new Dictionary<string, string>());
}

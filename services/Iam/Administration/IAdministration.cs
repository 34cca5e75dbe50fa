using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Administration;

/// <summary>
/// What <c>althing key</c> and <c>althing account</c> do, in one of two ways: <see cref="OfflineAdministration"/> on a data folder that no
/// platform has open, <see cref="OnlineAdministration"/> by the APIs of one that runs.
/// </summary>
/// <remarks>All methods throw <see cref="AdministrationException"/> with a message for the person at the terminal.</remarks>
public interface IAdministration
{
    /// <summary>Makes a key for a user, who is made too if there is none of this name.</summary>
    /// <param name="policyJson">What the user may do from now on; null leaves it as it is, which for a new user is nothing.</param>
    Task<NewKey> CreateKey(string userName, string? policyJson, CancellationToken cancel);

    /// <summary>All keys of the account, by user and age.</summary>
    Task<IReadOnlyList<KeySummary>> ListKeys(CancellationToken cancel);

    /// <summary>Deletes a key; it opens nothing from this moment. Its user stays.</summary>
    Task<KeySummary> RevokeKey(string accessKeyId, CancellationToken cancel);

    /// <summary>Makes an account, and a key for its administrator.</summary>
    Task<NewKey> CreateAccount(AccountId account, CancellationToken cancel);

    /// <summary>All accounts, by id.</summary>
    Task<IReadOnlyList<AccountId>> ListAccounts(CancellationToken cancel);
}

/// <summary>A key that was made just now. Its secret cannot be had again.</summary>
public sealed record NewKey(string UserName, string AccessKeyId, Secret SecretAccessKey);

public sealed record KeySummary(string UserName, string AccessKeyId, bool Active, DateTimeOffset CreatedAt);

/// <summary>It could not be done; the message says why, and what to do.</summary>
public sealed class AdministrationException(string message, Exception? cause = null) : Exception(message, cause);

using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Accounts;

/// <summary>Accounts belong to the platform, and the platform to the account that it began with.</summary>
static class PlatformOwners
{
    /// <exception cref="ServiceException">AccessDeniedException: the caller is of another account.</exception>
    public static async ValueTask Require(FirstStart start, Caller caller, CancellationToken cancel)
    {
        if (await start.FirstAccount(cancel) != caller.Account)
            throw Api.Refuse.AccessDenied($"User: {caller.Arn} may not manage accounts: only callers of the platform's first account may.");
    }
}

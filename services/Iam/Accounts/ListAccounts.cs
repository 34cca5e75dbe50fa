using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Accounts;

[Operation<AlthingApi>(ReadOnly = true)]
sealed class ListAccounts(FirstStart start) : Operation<ListAccountsRequest, ListAccountsResponse>
{
    protected override Permission Needs(ListAccountsRequest request, Caller caller) => new("althing:ListAccounts");

    protected override async ValueTask<ListAccountsResponse> Run(ListAccountsRequest request, Caller caller, CancellationToken cancel)
    {
        await PlatformOwners.Require(start, caller, cancel);
        return new() { Accounts = [.. (await start.Accounts(cancel)).Select(a => new AccountSummary { AccountId = a.Id.Value, CreatedAt = a.CreatedAt })] };
    }
}

sealed record ListAccountsRequest;

sealed record ListAccountsResponse
{
    public required IReadOnlyList<AccountSummary> Accounts { get; init; }
}

sealed record AccountSummary
{
    public required string AccountId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

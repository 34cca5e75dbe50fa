using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Accounts;

/// <summary>Makes a further account with an administrator. The key's secret is in this answer and never again.</summary>
[Operation<AlthingApi>]
sealed class CreateAccount(IStore store, FirstStart start) : Operation<CreateAccountRequest, CreateAccountResponse>
{
    protected override Permission Needs(CreateAccountRequest request, Caller caller) => new("althing:CreateAccount");

    protected override async ValueTask<CreateAccountResponse> Run(CreateAccountRequest request, Caller caller, CancellationToken cancel)
    {
        await PlatformOwners.Require(start, caller, cancel);
        if (await store.Get(Account.Table, AccountId.Platform, request.AccountId, cancel) is not null)
            throw Refuse.AccountAlreadyExists($"There is an account {request.AccountId} already.");
        var (key, secret) = await start.CreateAccount(new AccountId(request.AccountId), null, cancel);
        return new() { AccountId = request.AccountId, UserName = key.UserName, AccessKeyId = key.Id, SecretAccessKey = secret.Value };
    }
}

sealed record CreateAccountRequest
{
    [Pattern("[0-9]{12}")]
    public required string AccountId { get; init; }
}

sealed record CreateAccountResponse
{
    public required string AccountId { get; init; }
    public required string UserName { get; init; }
    public required string AccessKeyId { get; init; }
    public required string SecretAccessKey { get; init; }
}

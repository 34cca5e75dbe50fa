using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Keys;

/// <summary>Makes a key. Its secret is in this answer and never again.</summary>
[Operation<IamApi>]
sealed class CreateAccessKey(IamStore iam, SigningKeys keys) : Operation<CreateAccessKeyRequest, CreateAccessKeyResponse>
{
    protected override Permission Needs(CreateAccessKeyRequest request, Caller caller) =>
        new("iam:CreateAccessKey", IamArns.User(IamArns.UserName(request.UserName, caller), caller));

    protected override async ValueTask<CreateAccessKeyResponse> Run(CreateAccessKeyRequest request, Caller caller, CancellationToken cancel)
    {
        var user = await iam.RequireUser(caller.Account, IamArns.UserName(request.UserName, caller), cancel);
        if ((await iam.KeysOf(caller.Account, user.Value.Name, cancel)).Count >= Identity.AccessKeys.PerUserMax)
            throw Refuse.LimitExceeded($"Cannot exceed quota for AccessKeysPerUser: {Identity.AccessKeys.PerUserMax}");
        var (key, secret) = keys.Create(caller.Account, user.Value.Name);
        // The user's row is written as it is, so that two keys at once, or a key and the user's deletion, meet there.
        await iam.Commit(new Batch().Replace(User.Table, user, user.Value).Add(AccessKey.Table, key), cancel);
        return new()
        {
            AccessKey = new() { UserName = key.UserName, AccessKeyId = key.Id, Status = KeyStatus.Active, SecretAccessKey = secret.Value, CreateDate = key.CreatedAt },
        };
    }
}

sealed record CreateAccessKeyRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public string? UserName { get; init; }
}

sealed record CreateAccessKeyResponse
{
    public required AccessKeyShape AccessKey { get; init; }
}

/// <summary>The model calls it AccessKey.</summary>
sealed record AccessKeyShape
{
    public required string UserName { get; init; }
    public required string AccessKeyId { get; init; }
    public required string Status { get; init; }
    public required string SecretAccessKey { get; init; }
    public DateTimeOffset? CreateDate { get; init; }
}

/// <summary>The values of Status.</summary>
static class KeyStatus
{
    public const string Active = "Active";
    public const string Inactive = "Inactive";
}

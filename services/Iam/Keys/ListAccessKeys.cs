using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Keys;

[Operation<IamApi>(ReadOnly = true)]
sealed class ListAccessKeys(IamStore iam, IamListing listing) : Operation<ListAccessKeysRequest, ListAccessKeysResponse>
{
    protected override Permission Needs(ListAccessKeysRequest request, Caller caller) =>
        new("iam:ListAccessKeys", IamArns.User(IamArns.UserName(request.UserName, caller), caller));

    protected override async ValueTask<ListAccessKeysResponse> Run(ListAccessKeysRequest request, Caller caller, CancellationToken cancel)
    {
        var user = await iam.RequireUser(caller.Account, IamArns.UserName(request.UserName, caller), cancel);
        var keys = await iam.KeysOf(caller.Account, user.Value.Name, cancel);
        var page = listing.Cut(keys.Select(k => k.Value), k => k.Id, caller, $"ListAccessKeys {user.Value.Name}", request.Marker, request.MaxItems);
        return new() { AccessKeyMetadata = [.. page.Items.Select(AccessKeyMetadata.Of)], IsTruncated = page.Marker is not null, Marker = page.Marker };
    }
}

sealed record ListAccessKeysRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public string? UserName { get; init; }
    [Length(1, 320), Pattern(Names.Marker)]
    public string? Marker { get; init; }
    [Range(1, 1000)]
    public int? MaxItems { get; init; }
}

sealed record ListAccessKeysResponse
{
    public required IReadOnlyList<AccessKeyMetadata> AccessKeyMetadata { get; init; }
    public required bool IsTruncated { get; init; }
    public string? Marker { get; init; }
}

sealed record AccessKeyMetadata
{
    public required string UserName { get; init; }
    public required string AccessKeyId { get; init; }
    public required string Status { get; init; }
    public required DateTimeOffset CreateDate { get; init; }

    public static AccessKeyMetadata Of(AccessKey key) => new()
    {
        UserName = key.UserName,
        AccessKeyId = key.Id,
        Status = key.Active ? KeyStatus.Active : KeyStatus.Inactive,
        CreateDate = key.CreatedAt,
    };
}

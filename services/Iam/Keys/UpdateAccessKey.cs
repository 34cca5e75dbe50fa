using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Keys;

/// <summary>Switches a key on or off. Off, it opens nothing from the next request on.</summary>
[Operation<IamApi>]
sealed class UpdateAccessKey(IamStore iam) : Operation<UpdateAccessKeyRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateAccessKeyRequest request, Caller caller) =>
        new("iam:UpdateAccessKey", IamArns.User(IamArns.UserName(request.UserName, caller), caller));

    protected override async ValueTask<EmptyResponse> Run(UpdateAccessKeyRequest request, Caller caller, CancellationToken cancel)
    {
        var key = await iam.RequireKey(caller.Account, IamArns.UserName(request.UserName, caller), request.AccessKeyId, cancel);
        await iam.Commit(new Batch().Replace(AccessKey.Table, key, key.Value with { Active = request.Status == KeyStatus.Active }), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateAccessKeyRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public string? UserName { get; init; }
    [Length(16, 128), Pattern(Names.Id)]
    public required string AccessKeyId { get; init; }
    [OneOf(KeyStatus.Active, KeyStatus.Inactive)]
    public required string Status { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Keys;

[Operation<IamApi>]
sealed class DeleteAccessKey(IamStore iam) : Operation<DeleteAccessKeyRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteAccessKeyRequest request, Caller caller) =>
        new("iam:DeleteAccessKey", IamArns.User(IamArns.UserName(request.UserName, caller), caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteAccessKeyRequest request, Caller caller, CancellationToken cancel)
    {
        var key = await iam.RequireKey(caller.Account, IamArns.UserName(request.UserName, caller), request.AccessKeyId, cancel);
        await iam.Commit(new Batch().Delete(AccessKey.Table, key), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteAccessKeyRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public string? UserName { get; init; }
    [Length(16, 128), Pattern(Names.Id)]
    public required string AccessKeyId { get; init; }
}

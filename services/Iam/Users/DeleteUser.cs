using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Users;

[Operation<IamApi>]
sealed class DeleteUser(IamStore iam) : Operation<DeleteUserRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteUserRequest request, Caller caller) => new("iam:DeleteUser", IamArns.User(request.UserName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteUserRequest request, Caller caller, CancellationToken cancel)
    {
        // A key made meanwhile writes the user's row again, so that this deletion is decided anew.
        var user = await iam.RequireUser(caller.Account, request.UserName, cancel);
        if (user.Value.Policies.Count > 0)
            throw Refuse.DeleteConflict("Cannot delete entity, must delete policies first.");
        if ((await iam.KeysOf(caller.Account, request.UserName, cancel)).Count > 0)
            throw Refuse.DeleteConflict("Cannot delete entity, must delete access keys first.");
        await iam.Commit(new Batch().Delete(User.Table, user), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteUserRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public required string UserName { get; init; }
}

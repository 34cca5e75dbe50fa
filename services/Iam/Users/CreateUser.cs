using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Users;

[Operation<IamApi>]
sealed class CreateUser(IStore store, IamStore iam, TimeProvider time) : Operation<CreateUserRequest, CreateUserResponse>
{
    protected override Permission Needs(CreateUserRequest request, Caller caller) => new("iam:CreateUser", IamArns.User(request.UserName, caller));

    protected override void Check(CreateUserRequest request) => Unserved.Check(request.Path, request.PermissionsBoundary, request.Tags);

    protected override async ValueTask<CreateUserResponse> Run(CreateUserRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(User.Table, caller.Account, User.KeyOf(request.UserName), cancel) is not null)
            throw Refuse.EntityAlreadyExists($"User with name {request.UserName} already exists.");
        var user = new User { Account = caller.Account, Name = request.UserName, Id = PrincipalIds.User(), CreatedAt = time.GetUtcNow() };
        await iam.Commit(new Batch().Add(User.Table, user), cancel);
        return new() { User = UserShape.Of(user) };
    }
}

sealed record CreateUserRequest
{
    [Length(1, 512), Pattern(Names.Path)]
    public string? Path { get; init; }
    [Length(1, 64), Pattern(Names.Entity)]
    public required string UserName { get; init; }
    [Length(20, 2048)]
    public string? PermissionsBoundary { get; init; }
    [Length(0, 50)]
    public IReadOnlyList<IamTag>? Tags { get; init; }
}

sealed record CreateUserResponse
{
    public required UserShape User { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Users;

/// <summary>Shows the user named, or the one who calls.</summary>
[Operation<IamApi>(ReadOnly = true)]
sealed class GetUser(IamStore iam) : Operation<GetUserRequest, GetUserResponse>
{
    protected override Permission Needs(GetUserRequest request, Caller caller) =>
        new("iam:GetUser", IamArns.User(IamArns.UserName(request.UserName, caller), caller));

    protected override async ValueTask<GetUserResponse> Run(GetUserRequest request, Caller caller, CancellationToken cancel) =>
        new() { User = UserShape.Of((await iam.RequireUser(caller.Account, IamArns.UserName(request.UserName, caller), cancel)).Value) };
}

sealed record GetUserRequest
{
    [Length(1, 128), Pattern(Names.Entity)]
    public string? UserName { get; init; }
}

sealed record GetUserResponse
{
    public required UserShape User { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Roles;

[Operation<IamApi>(ReadOnly = true)]
sealed class GetRole(IamStore iam) : Operation<GetRoleRequest, GetRoleResponse>
{
    protected override Permission Needs(GetRoleRequest request, Caller caller) => new("iam:GetRole", IamArns.Role(request.RoleName, caller));

    protected override async ValueTask<GetRoleResponse> Run(GetRoleRequest request, Caller caller, CancellationToken cancel) =>
        new() { Role = RoleShape.Of((await iam.RequireRole(caller.Account, request.RoleName, cancel)).Value) };
}

sealed record GetRoleRequest
{
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
}

sealed record GetRoleResponse
{
    public required RoleShape Role { get; init; }
}

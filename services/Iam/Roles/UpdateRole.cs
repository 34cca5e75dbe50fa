using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Roles;

[Operation<IamApi>]
sealed class UpdateRole(IamStore iam) : Operation<UpdateRoleRequest, UpdateRoleResponse>
{
    protected override Permission Needs(UpdateRoleRequest request, Caller caller) => new("iam:UpdateRole", IamArns.Role(request.RoleName, caller));

    protected override async ValueTask<UpdateRoleResponse> Run(UpdateRoleRequest request, Caller caller, CancellationToken cancel)
    {
        var role = await iam.RequireRole(caller.Account, request.RoleName, cancel);
        var changed = role.Value with
        {
            Description = request.Description ?? role.Value.Description,
            SessionMax = request.MaxSessionDuration is { } seconds ? TimeSpan.FromSeconds(seconds) : role.Value.SessionMax,
        };
        await iam.Commit(new Batch().Replace(Role.Table, role, changed), cancel);
        return new();
    }
}

sealed record UpdateRoleRequest
{
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
    [Length(0, 1000), Pattern(Names.RoleDescription)]
    public string? Description { get; init; }
    [Range(3600, 43200)]
    public int? MaxSessionDuration { get; init; }
}

/// <summary>Empty, but unlike others' answers with an element of its own.</summary>
sealed record UpdateRoleResponse;

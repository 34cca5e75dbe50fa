using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Roles;

[Operation<IamApi>]
sealed class CreateRole(IStore store, IamStore iam, TimeProvider time) : Operation<CreateRoleRequest, CreateRoleResponse>
{
    static readonly TimeSpan SessionMaxDefault = TimeSpan.FromHours(1);

    protected override Permission Needs(CreateRoleRequest request, Caller caller) => new("iam:CreateRole", IamArns.Role(request.RoleName, caller));

    protected override void Check(CreateRoleRequest request)
    {
        Unserved.Check(request.Path, request.PermissionsBoundary, request.Tags);
        InlinePolicies.CheckTrust(request.AssumeRolePolicyDocument);
    }

    protected override async ValueTask<CreateRoleResponse> Run(CreateRoleRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(Role.Table, caller.Account, Role.KeyOf(request.RoleName), cancel) is not null)
            throw Refuse.EntityAlreadyExists($"Role with name {request.RoleName} already exists.");
        var role = new Role
        {
            Account = caller.Account,
            Name = request.RoleName,
            Id = PrincipalIds.Role(),
            CreatedAt = time.GetUtcNow(),
            TrustPolicy = request.AssumeRolePolicyDocument,
            Description = request.Description,
            SessionMax = request.MaxSessionDuration is { } seconds ? TimeSpan.FromSeconds(seconds) : SessionMaxDefault,
        };
        await iam.Commit(new Batch().Add(Role.Table, role), cancel);
        return new() { Role = RoleShape.Of(role) };
    }
}

sealed record CreateRoleRequest
{
    [Length(1, 512), Pattern(Names.Path)]
    public string? Path { get; init; }
    [Length(1, 64), Pattern(Names.Entity)]
    public required string RoleName { get; init; }
    [Length(1, 131072), Pattern(Names.Document)]
    public required string AssumeRolePolicyDocument { get; init; }
    [Length(0, 1000), Pattern(Names.RoleDescription)]
    public string? Description { get; init; }
    [Range(3600, 43200)]
    public int? MaxSessionDuration { get; init; }
    [Length(20, 2048)]
    public string? PermissionsBoundary { get; init; }
    [Length(0, 50)]
    public IReadOnlyList<IamTag>? Tags { get; init; }
}

sealed record CreateRoleResponse
{
    public required RoleShape Role { get; init; }
}

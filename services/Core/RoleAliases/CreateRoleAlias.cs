using Althing.Api;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.RoleAliases;

[Operation<Iot>("POST /role-aliases/{roleAlias}")]
sealed class CreateRoleAlias(IStore store, TagStore tags, RegistryChanges changes, TimeProvider clock)
    : Operation<CreateRoleAliasRequest, CreateRoleAliasResponse>
{
    protected override Permission Needs(CreateRoleAliasRequest request, Caller caller) =>
        new("iot:CreateRoleAlias", RoleAlias.Arn(request.RoleAlias, caller)) { And = new("iam:PassRole", request.RoleArn) };

    protected override void Check(CreateRoleAliasRequest request) => RoleAlias.CheckRole(request.RoleArn);

    protected override async ValueTask<CreateRoleAliasResponse> Run(CreateRoleAliasRequest request, Caller caller, CancellationToken cancel)
    {
        var arn = RoleAlias.Arn(request.RoleAlias, caller);
        if (await store.Get(RoleAlias.Table, caller.Account, request.RoleAlias, cancel) is not null)
            throw Refuse.ResourceAlreadyExists($"There is a role alias '{request.RoleAlias}' already.", request.RoleAlias, arn);
        if (await store.Count(RoleAlias.Table, caller.Account, Scan.All, cancel) >= RoleAlias.PerAccountMax)
            throw Refuse.LimitExceeded($"The account has {RoleAlias.PerAccountMax} role aliases already. Delete one first.");
        var now = clock.GetUtcNow();
        var alias = new RoleAlias
        {
            Account = caller.Account,
            Name = request.RoleAlias,
            RoleArn = request.RoleArn,
            CredentialSeconds = request.CredentialDurationSeconds ?? RoleAlias.CredentialSecondsDefault,
            CreatedAt = now,
            LastModifiedAt = now,
        };
        var batch = new Batch().Add(RoleAlias.Table, alias);
        await tags.AddTags(batch, caller.Account, RoleAlias.TagKey(alias.Name), request.Tags, cancel);
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.RoleAlias, RegistryVerb.Created, caller.Account, alias.Name) { Detail = alias });
        return new() { RoleAlias = alias.Name, RoleAliasArn = arn };
    }
}

sealed record CreateRoleAliasRequest
{
    [Label, Length(1, 128), Pattern(Names.RoleAlias)]
    public required string RoleAlias { get; init; }
    [Length(20, 2048)]
    public required string RoleArn { get; init; }
    [Range(900, 43200)]
    public int? CredentialDurationSeconds { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record CreateRoleAliasResponse
{
    public string? RoleAlias { get; init; }
    public string? RoleAliasArn { get; init; }
}

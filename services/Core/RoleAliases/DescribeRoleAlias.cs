using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.RoleAliases;

[Operation<Iot>("GET /role-aliases/{roleAlias}")]
sealed class DescribeRoleAlias(IStore store) : Operation<DescribeRoleAliasRequest, DescribeRoleAliasResponse>
{
    protected override Permission Needs(DescribeRoleAliasRequest request, Caller caller) =>
        new("iot:DescribeRoleAlias", RoleAlias.Arn(request.RoleAlias, caller));

    protected override async ValueTask<DescribeRoleAliasResponse> Run(DescribeRoleAliasRequest request, Caller caller, CancellationToken cancel)
    {
        var alias = (await RoleAlias.Require(store, caller.Account, request.RoleAlias, cancel)).Value;
        return new()
        {
            RoleAliasDescription = new()
            {
                RoleAlias = alias.Name,
                RoleAliasArn = RoleAlias.Arn(alias.Name, caller),
                RoleArn = alias.RoleArn,
                Owner = alias.Account.Value,
                CredentialDurationSeconds = alias.CredentialSeconds,
                CreationDate = alias.CreatedAt,
                LastModifiedDate = alias.LastModifiedAt,
            },
        };
    }
}

sealed record DescribeRoleAliasRequest
{
    [Label, Length(1, 128), Pattern(Names.RoleAlias)]
    public required string RoleAlias { get; init; }
}

sealed record DescribeRoleAliasResponse
{
    public RoleAliasDescription? RoleAliasDescription { get; init; }
}

sealed record RoleAliasDescription
{
    public string? RoleAlias { get; init; }
    public string? RoleAliasArn { get; init; }
    public string? RoleArn { get; init; }
    public string? Owner { get; init; }
    public int? CredentialDurationSeconds { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
}

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

/// <summary>Chooses the authorizer of clients that bring no other credentials and name none.</summary>
[Operation<Iot>("POST /default-authorizer")]
sealed class SetDefaultAuthorizer(IStore store) : Operation<SetDefaultAuthorizerRequest, SetDefaultAuthorizerResponse>
{
    protected override Permission Needs(SetDefaultAuthorizerRequest request, Caller caller) =>
        new("iot:SetDefaultAuthorizer", Authorizer.Arn(request.AuthorizerName, caller));

    protected override async ValueTask<SetDefaultAuthorizerResponse> Run(SetDefaultAuthorizerRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await Authorizer.Require(store, caller.Account, request.AuthorizerName, cancel);
        if (!row.Value.Active)
            throw Refuse.InvalidRequest($"'{row.Value.Name}' is INACTIVE. Set its status to ACTIVE with UpdateAuthorizer first.");
        var there = await store.Get(DefaultAuthorizer.Table, caller.Account, DefaultAuthorizer.Key, cancel);
        var arn = Authorizer.Arn(row.Value.Name, caller);
        if (there?.Value.Name == row.Value.Name)
            throw Refuse.ResourceAlreadyExists($"'{row.Value.Name}' is the default authorizer already.", row.Value.Name, arn);
        var chosen = new DefaultAuthorizer { Account = caller.Account, Name = row.Value.Name };
        await store.Commit(new Batch().Require(Authorizer.Table, row).Put(DefaultAuthorizer.Table, chosen), cancel);
        return new() { AuthorizerName = row.Value.Name, AuthorizerArn = arn };
    }
}

sealed record SetDefaultAuthorizerRequest
{
    [Length(1, 128), Pattern(Names.Authorizer)]
    public required string AuthorizerName { get; init; }
}

sealed record SetDefaultAuthorizerResponse
{
    public string? AuthorizerName { get; init; }
    public string? AuthorizerArn { get; init; }
}

using Althing.Api;
using Althing.Core.DomainConfigurations;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

/// <summary>Deletes an authorizer that is INACTIVE and nobody's default. Clients that it let in stay until their next refresh.</summary>
[Operation<Iot>("DELETE /authorizer/{authorizerName}")]
sealed class DeleteAuthorizer(IStore store, RegistryChanges changes) : Operation<DeleteAuthorizerRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteAuthorizerRequest request, Caller caller) =>
        new("iot:DeleteAuthorizer", Authorizer.Arn(request.AuthorizerName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteAuthorizerRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await Authorizer.Require(store, caller.Account, request.AuthorizerName, cancel);
        var name = row.Value.Name;
        if ((await store.Get(DefaultAuthorizer.Table, caller.Account, DefaultAuthorizer.Key, cancel))?.Value.Name == name)
            throw Refuse.DeleteConflict($"'{name}' is the default authorizer. Call ClearDefaultAuthorizer first.");
        var domains = await store.Scan(DomainConfiguration.Table, caller.Account, Scan.All, cancel);
        if (domains.FirstOrDefault(d => d.Value.AuthorizerConfig?.DefaultAuthorizerName == name) is { Value: { } domain })
            throw Refuse.DeleteConflict($"'{name}' is the default authorizer of domain configuration '{domain.Name}'. Remove it there first.");
        if (row.Value.Active)
            throw Refuse.DeleteConflict($"'{name}' is ACTIVE. Set its status to INACTIVE with UpdateAuthorizer first.");
        var batch = new Batch().Delete(Authorizer.Table, row);
        TagStore.Forget(batch, caller.Account, Authorizer.TagKey(name));
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.Authorizer, RegistryVerb.Deleted, caller.Account, name) { Detail = row.Value });
        return EmptyResponse.Instance;
    }
}

sealed record DeleteAuthorizerRequest
{
    [Label, Length(1, 128), Pattern(Names.Authorizer)]
    public required string AuthorizerName { get; init; }
}

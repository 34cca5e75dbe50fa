using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

[Operation<Iot>("DELETE /default-authorizer")]
sealed class ClearDefaultAuthorizer(IStore store) : Operation<ClearDefaultAuthorizerRequest, EmptyResponse>
{
    protected override Permission Needs(ClearDefaultAuthorizerRequest request, Caller caller) => new("iot:ClearDefaultAuthorizer");

    protected override async ValueTask<EmptyResponse> Run(ClearDefaultAuthorizerRequest request, Caller caller, CancellationToken cancel)
    {
        var chosen = await store.Get(DefaultAuthorizer.Table, caller.Account, DefaultAuthorizer.Key, cancel)
            ?? throw Refuse.ResourceNotFound("The account has no default authorizer.");
        await store.Commit(new Batch().Delete(DefaultAuthorizer.Table, chosen), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record ClearDefaultAuthorizerRequest;

using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

[Operation<Iot>("GET /default-authorizer")]
sealed class DescribeDefaultAuthorizer(IStore store) : Operation<DescribeDefaultAuthorizerRequest, DescribeDefaultAuthorizerResponse>
{
    protected override Permission Needs(DescribeDefaultAuthorizerRequest request, Caller caller) => new("iot:DescribeDefaultAuthorizer");

    protected override async ValueTask<DescribeDefaultAuthorizerResponse> Run(
        DescribeDefaultAuthorizerRequest request, Caller caller, CancellationToken cancel)
    {
        var chosen = await store.Get(DefaultAuthorizer.Table, caller.Account, DefaultAuthorizer.Key, cancel)
            ?? throw Refuse.ResourceNotFound("The account has no default authorizer. SetDefaultAuthorizer chooses one.");
        var authorizer = await Authorizer.Require(store, caller.Account, chosen.Value.Name, cancel);
        return new() { AuthorizerDescription = AuthorizerDescription.Of(authorizer.Value, caller) };
    }
}

sealed record DescribeDefaultAuthorizerRequest;

sealed record DescribeDefaultAuthorizerResponse
{
    public AuthorizerDescription? AuthorizerDescription { get; init; }
}

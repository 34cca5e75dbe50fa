using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

[Operation<Iot>("GET /authorizer/{authorizerName}")]
sealed class DescribeAuthorizer(IStore store) : Operation<DescribeAuthorizerRequest, DescribeAuthorizerResponse>
{
    protected override Permission Needs(DescribeAuthorizerRequest request, Caller caller) =>
        new("iot:DescribeAuthorizer", Authorizer.Arn(request.AuthorizerName, caller));

    protected override async ValueTask<DescribeAuthorizerResponse> Run(DescribeAuthorizerRequest request, Caller caller, CancellationToken cancel) =>
        new() { AuthorizerDescription = AuthorizerDescription.Of((await Authorizer.Require(store, caller.Account, request.AuthorizerName, cancel)).Value, caller) };
}

sealed record DescribeAuthorizerRequest
{
    [Label, Length(1, 128), Pattern(Names.Authorizer)]
    public required string AuthorizerName { get; init; }
}

sealed record DescribeAuthorizerResponse
{
    public AuthorizerDescription? AuthorizerDescription { get; init; }
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Sts;

/// <summary>Says who calls. Nobody can be denied it: it tells the caller only what the key already shows.</summary>
[Operation<StsApi>(ReadOnly = true)]
sealed class GetCallerIdentity : Operation<GetCallerIdentityRequest, GetCallerIdentityResponse>
{
    protected override Permission Needs(GetCallerIdentityRequest request, Caller caller) => Permission.None;

    protected override ValueTask<GetCallerIdentityResponse> Run(GetCallerIdentityRequest request, Caller caller, CancellationToken cancel) =>
        ValueTask.FromResult(new GetCallerIdentityResponse { UserId = caller.UserId, Account = caller.Account.Value, Arn = caller.Arn });
}

sealed record GetCallerIdentityRequest;

sealed record GetCallerIdentityResponse
{
    public required string UserId { get; init; }
    public required string Account { get; init; }
    public required string Arn { get; init; }
}

using Althing.Api;
using Althing.Core.Principals;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

/// <summary>What a device that connects with this principal as this thing is judged by.</summary>
[Operation<Iot>("POST /effective-policies", ReadOnly = true)]
sealed class GetEffectivePolicies(IStore store, PolicyTargets targets) : Operation<GetEffectivePoliciesRequest, GetEffectivePoliciesResponse>
{
    protected override Permission Needs(GetEffectivePoliciesRequest request, Caller caller) =>
        new("iot:GetEffectivePolicies", request.Principal ?? "*");

    protected override void Check(GetEffectivePoliciesRequest request)
    {
        if (request.CognitoIdentityPoolId is not null)
            throw Refuse.InvalidRequest("There are no Cognito identity pools here: give the identity's id as principal instead of cognitoIdentityPoolId.");
        if (request.Principal is null && request.ThingName is null)
            throw Refuse.InvalidRequest("Give a principal, a thingName or both.");
    }

    protected override async ValueTask<GetEffectivePoliciesResponse> Run(GetEffectivePoliciesRequest request, Caller caller, CancellationToken cancel)
    {
        var principal = request.Principal is { } text ? PrincipalRef.Parse(text, caller.Account) : null;
        if (principal is not null)
            await targets.RequireTarget(caller.Account, principal, request.Principal!, cancel);
        if (request.ThingName is { } thing && await store.Get(Thing.Table, caller.Account, thing, cancel) is null)
            throw Refuse.ResourceNotFound($"There is no thing '{thing}'.");
        List<EffectivePolicy> effective = [];
        foreach (var name in await targets.Effective(caller.Account, principal, request.ThingName, cancel))
        {
            if (await store.Get(Policy.Table, caller.Account, name, cancel) is not { } policy)
                continue;
            effective.Add(new()
            {
                PolicyName = name,
                PolicyArn = PolicyStore.Arn(name, caller),
                PolicyDocument = policy.Value.Default.Document,
            });
        }
        return new() { EffectivePolicies = effective };
    }
}

sealed record GetEffectivePoliciesRequest
{
    public string? Principal { get; init; }
    public string? CognitoIdentityPoolId { get; init; }
    [Query, Length(1, 128), Pattern(Names.Thing)]
    public string? ThingName { get; init; }
}

sealed record GetEffectivePoliciesResponse
{
    public IReadOnlyList<EffectivePolicy>? EffectivePolicies { get; init; }
}

sealed record EffectivePolicy
{
    public string? PolicyName { get; init; }
    public string? PolicyArn { get; init; }
    public string? PolicyDocument { get; init; }
}

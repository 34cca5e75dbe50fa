using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

/// <summary>Changes an authorizer. Whether tokens are signed stays as it was created ("Managing custom authorizers").</summary>
[Operation<Iot>("PUT /authorizer/{authorizerName}")]
sealed class UpdateAuthorizer(IStore store, RegistryChanges changes, TimeProvider clock) : Operation<UpdateAuthorizerRequest, UpdateAuthorizerResponse>
{
    protected override Permission Needs(UpdateAuthorizerRequest request, Caller caller) =>
        new("iot:UpdateAuthorizer", Authorizer.Arn(request.AuthorizerName, caller));

    protected override void Check(UpdateAuthorizerRequest request)
    {
        if (request.AuthorizerFunctionArn is { } function)
            FunctionAddress.Check(function);
    }

    protected override async ValueTask<UpdateAuthorizerResponse> Run(UpdateAuthorizerRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await Authorizer.Require(store, caller.Account, request.AuthorizerName, cancel);
        var changed = row.Value with
        {
            Function = request.AuthorizerFunctionArn ?? row.Value.Function,
            TokenKeyName = request.TokenKeyName ?? row.Value.TokenKeyName,
            TokenSigningPublicKeys = request.TokenSigningPublicKeys ?? row.Value.TokenSigningPublicKeys,
            EnableCachingForHttp = request.EnableCachingForHttp ?? row.Value.EnableCachingForHttp,
            Active = request.Status is { } status ? status == "ACTIVE" : row.Value.Active,
            LastModifiedAt = clock.GetUtcNow(),
        };
        changed.CheckSigning();
        if (!changed.Active && (await store.Get(DefaultAuthorizer.Table, caller.Account, DefaultAuthorizer.Key, cancel))?.Value.Name == changed.Name)
            throw Refuse.InvalidRequest($"'{changed.Name}' is the default authorizer and must be ACTIVE. Call ClearDefaultAuthorizer first.");
        await store.Commit(new Batch().Replace(Authorizer.Table, row, changed), cancel);
        changes.Publish(new(RegistryResource.Authorizer, RegistryVerb.Updated, caller.Account, changed.Name) { Detail = changed });
        return new() { AuthorizerName = changed.Name, AuthorizerArn = Authorizer.Arn(changed.Name, caller) };
    }
}

sealed record UpdateAuthorizerRequest
{
    [Label, Length(1, 128), Pattern(Names.Authorizer)]
    public required string AuthorizerName { get; init; }
    [Length(0, 2048), Pattern(@"[\s\S]*")]
    public string? AuthorizerFunctionArn { get; init; }
    [Length(1, 128), Pattern(Names.TokenKey)]
    public string? TokenKeyName { get; init; }
    [Each(KeyLengthMin = 1, KeyLengthMax = 128, KeyPattern = "[a-zA-Z0-9:_-]+", LengthMax = 5120, Pattern = @"[\s\S]*")]
    public IReadOnlyDictionary<string, string>? TokenSigningPublicKeys { get; init; }
    [OneOf("ACTIVE", "INACTIVE")]
    public string? Status { get; init; }
    public bool? EnableCachingForHttp { get; init; }
}

sealed record UpdateAuthorizerResponse
{
    public string? AuthorizerName { get; init; }
    public string? AuthorizerArn { get; init; }
}

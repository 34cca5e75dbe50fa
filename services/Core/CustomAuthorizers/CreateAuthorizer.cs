using Althing.Api;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

[Operation<Iot>("POST /authorizer/{authorizerName}")]
sealed class CreateAuthorizer(IStore store, TagStore tags, RegistryChanges changes, TimeProvider clock)
    : Operation<CreateAuthorizerRequest, CreateAuthorizerResponse>
{
    protected override Permission Needs(CreateAuthorizerRequest request, Caller caller) =>
        new("iot:CreateAuthorizer", Authorizer.Arn(request.AuthorizerName, caller));

    protected override void Check(CreateAuthorizerRequest request) => FunctionAddress.Check(request.AuthorizerFunctionArn);

    protected override async ValueTask<CreateAuthorizerResponse> Run(CreateAuthorizerRequest request, Caller caller, CancellationToken cancel)
    {
        var authorizer = Make(request, caller);
        authorizer.CheckSigning();
        var arn = Authorizer.Arn(authorizer.Name, caller);
        if (await store.Get(Authorizer.Table, caller.Account, authorizer.Name, cancel) is not null)
            throw Refuse.ResourceAlreadyExists($"There is an authorizer '{authorizer.Name}' already.", authorizer.Name, arn);
        if (await store.Count(Authorizer.Table, caller.Account, Scan.All, cancel) >= Authorizer.PerAccountMax)
            throw Refuse.LimitExceeded($"The account has {Authorizer.PerAccountMax} authorizers already. Delete one first.");
        var batch = new Batch().Add(Authorizer.Table, authorizer);
        await tags.AddTags(batch, caller.Account, Authorizer.TagKey(authorizer.Name), request.Tags, cancel);
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.Authorizer, RegistryVerb.Created, caller.Account, authorizer.Name) { Detail = authorizer });
        return new() { AuthorizerName = authorizer.Name, AuthorizerArn = arn };
    }

    Authorizer Make(CreateAuthorizerRequest request, Caller caller)
    {
        var now = clock.GetUtcNow();
        return new()
        {
            Account = caller.Account,
            Name = request.AuthorizerName,
            Region = caller.Region,
            Function = request.AuthorizerFunctionArn,
            TokenKeyName = request.TokenKeyName,
            TokenSigningPublicKeys = request.TokenSigningPublicKeys ?? new Dictionary<string, string>(),
            SigningDisabled = request.SigningDisabled is true,
            EnableCachingForHttp = request.EnableCachingForHttp is true,
            Active = request.Status is null or "ACTIVE",
            CreatedAt = now,
            LastModifiedAt = now,
        };
    }
}

sealed record CreateAuthorizerRequest
{
    [Label, Length(1, 128), Pattern(Names.Authorizer)]
    public required string AuthorizerName { get; init; }
    [Length(0, 2048), Pattern(@"[\s\S]*")]
    public required string AuthorizerFunctionArn { get; init; }
    [Length(1, 128), Pattern(Names.TokenKey)]
    public string? TokenKeyName { get; init; }
    [Each(KeyLengthMin = 1, KeyLengthMax = 128, KeyPattern = "[a-zA-Z0-9:_-]+", LengthMax = 5120, Pattern = @"[\s\S]*")]
    public IReadOnlyDictionary<string, string>? TokenSigningPublicKeys { get; init; }
    [OneOf("ACTIVE", "INACTIVE")]
    public string? Status { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
    public bool? SigningDisabled { get; init; }
    public bool? EnableCachingForHttp { get; init; }
}

sealed record CreateAuthorizerResponse
{
    public string? AuthorizerName { get; init; }
    public string? AuthorizerArn { get; init; }
}

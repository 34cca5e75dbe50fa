using Althing.Identity;

namespace Althing.Core.CustomAuthorizers;

sealed record AuthorizerDescription
{
    public string? AuthorizerName { get; init; }
    public string? AuthorizerArn { get; init; }
    public string? AuthorizerFunctionArn { get; init; }
    public string? TokenKeyName { get; init; }
    public IReadOnlyDictionary<string, string>? TokenSigningPublicKeys { get; init; }
    public string? Status { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
    public bool? SigningDisabled { get; init; }
    public bool? EnableCachingForHttp { get; init; }

    public static AuthorizerDescription Of(Authorizer authorizer, Caller caller) => new()
    {
        AuthorizerName = authorizer.Name,
        AuthorizerArn = Authorizer.Arn(authorizer.Name, caller),
        AuthorizerFunctionArn = authorizer.Function,
        TokenKeyName = authorizer.TokenKeyName,
        TokenSigningPublicKeys = authorizer.TokenSigningPublicKeys,
        Status = authorizer.Active ? "ACTIVE" : "INACTIVE",
        CreationDate = authorizer.CreatedAt,
        LastModifiedDate = authorizer.LastModifiedAt,
        SigningDisabled = authorizer.SigningDisabled,
        EnableCachingForHttp = authorizer.EnableCachingForHttp,
    };
}

sealed record AuthorizerSummary
{
    public string? AuthorizerName { get; init; }
    public string? AuthorizerArn { get; init; }
}

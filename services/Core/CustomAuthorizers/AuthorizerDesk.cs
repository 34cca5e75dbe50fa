using Althing.Core.DomainConfigurations;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.CustomAuthorizers;

/// <summary>Chooses the authorizer that judges a client, checks the token's signature, and asks the function.</summary>
sealed class AuthorizerDesk(IStore store, AuthorizerFunctions functions, ILogger<AuthorizerDesk> logger)
{
    /// <summary>The authorizer for what the client brought; null when it names none and there is no default.</summary>
    /// <exception cref="AuthorizerFailure">It names one that it may not have, or that is not there or not ACTIVE.</exception>
    public async ValueTask<Authorizer?> Choose(AccountId account, DomainConfiguration? domain, AuthorizerInput input, CancellationToken cancel)
    {
        var named = input.Find(AuthorizerInput.NameParameter);
        var usual = domain?.AuthorizerConfig;
        if (named is not null && usual is { DefaultAuthorizerName: { } own } && own != named && usual.AllowAuthorizerOverride is not true)
            throw new AuthorizerFailure($"The endpoint {domain!.DomainName} has the authorizer '{own}' and allows no other.");
        if ((named ?? usual?.DefaultAuthorizerName ?? await DefaultOf(account, cancel)) is not { } name)
            return null;
        var row = await store.Get(Authorizer.Table, account, name, cancel);
        return row?.Value is { Active: true } authorizer
            ? authorizer
            : throw new AuthorizerFailure(row is null ? $"There is no authorizer '{name}'." : $"The authorizer '{name}' is INACTIVE.");
    }

    async ValueTask<string?> DefaultOf(AccountId account, CancellationToken cancel) =>
        (await store.Get(DefaultAuthorizer.Table, account, DefaultAuthorizer.Key, cancel))?.Value.Name;

    /// <summary>Asks the authorizer about the client.</summary>
    /// <exception cref="AuthorizerFailure">The token or its signature is missing or wrong, or the function failed.</exception>
    public ValueTask<AuthorizerAnswer> Ask(Authorizer authorizer, AuthorizerInput input, CancellationToken cancel)
    {
        var token = authorizer.TokenKeyName is { } key ? input.Find(key) : null;
        return Ask(authorizer, input, token, input.Find(AuthorizerInput.SignatureParameter), cancel);
    }

    /// <exception cref="AuthorizerFailure">The token or its signature is missing or wrong, or the function failed.</exception>
    public ValueTask<AuthorizerAnswer> Ask(Authorizer authorizer, AuthorizerInput input, string? token, string? signature, CancellationToken cancel)
    {
        if (!authorizer.SigningDisabled)
        {
            if (token is null || signature is null)
                throw new AuthorizerFailure($"The authorizer '{authorizer.Name}' needs a token '{authorizer.TokenKeyName}' and its signature '{AuthorizerInput.SignatureParameter}'.");
            if (!TokenSignature.IsRight(token, signature, authorizer.TokenSigningPublicKeys))
                throw new AuthorizerFailure($"The token's signature is not by any of the keys of authorizer '{authorizer.Name}'.");
        }
        return functions.Call(authorizer, AuthorizerEvent.Write(input, token, !authorizer.SigningDisabled), cancel);
    }

    /// <summary>Chooses and asks; null when there is nobody to ask or the client is not let in, which is logged.</summary>
    public async ValueTask<(Authorizer Authorizer, AuthorizerAnswer Answer)?> Judge(
        AccountId account, DomainConfiguration? domain, AuthorizerInput input, CancellationToken cancel)
    {
        Authorizer? authorizer;
        try
        {
            authorizer = await Choose(account, domain, input, cancel);
        }
        catch (AuthorizerFailure failure)
        {
            Note(account, input, failure);
            return null;
        }
        return authorizer is not null && await Judge(authorizer, input, cancel) is { } answer ? (authorizer, answer) : null;
    }

    /// <summary>Asks; null when the client is not let in, which is logged.</summary>
    public async ValueTask<AuthorizerAnswer?> Judge(Authorizer authorizer, AuthorizerInput input, CancellationToken cancel)
    {
        try
        {
            var answer = await Ask(authorizer, input, cancel);
            if (answer.IsAuthenticated)
                return answer;
            logger.LogInformation("Authorizer {Authorizer} of account {Account} does not know the client at {SourceIp}.", authorizer.Name, authorizer.Account, input.SourceIp);
        }
        catch (AuthorizerFailure failure)
        {
            Note(authorizer.Account, input, failure);
        }
        return null;
    }

    /// <summary>Logs why a client could not be judged.</summary>
    public void Note(AccountId account, AuthorizerInput input, AuthorizerFailure failure) =>
        logger.LogWarning("Custom authentication in account {Account} for the client at {SourceIp} failed: {Why}", account, input.SourceIp, failure.Message);
}

using Althing.Broker;
using Althing.Core.CustomAuthorizers;
using Althing.Core.DomainConfigurations;
using Althing.Core.Endpoints;
using Althing.Identity;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Althing.Core.Authority;

/// <summary>Clients that call the data plane over HTTPS with a custom authorizer's credentials: judged by the policies of its answer.</summary>
sealed class CustomCallers(AuthorizerDesk desk, ServerNames serverNames, DeviceAuthority authority, TimeProvider clock)
{
    /// <summary>The caller, or null when nothing in the request asks for an authorizer.</summary>
    /// <exception cref="Api.ServiceException">ForbiddenException: an authorizer is asked for and does not let the client in.</exception>
    public async ValueTask<Caller?> Identify(HttpContext http, CancellationToken cancel)
    {
        var origin = OriginOf(http);
        var asked = await serverNames.Account(origin.ServerName, cancel);
        var input = new AuthorizerInput
        {
            ServerName = origin.ServerName,
            IsSecure = origin.IsSecure,
            Http = origin.Http,
            SourceIp = http.Connection.RemoteIpAddress?.ToString(),
        };
        var method = DomainRules.MethodOf(asked.Domain, origin, input.Find(AuthorizerInput.NameParameter) is not null);
        if (method is DomainRules.Certificate or DomainRules.Signature)
            return null;
        var account = asked.Account ?? await serverNames.FirstAccount(cancel);
        if (method == DomainRules.CustomAuthWithCertificate)
        {
            if (origin.Certificate is not { } certificate || await authority.Identify(certificate, origin.ServerName, cancel) is not { } known)
                throw Refused();
            (account, input) = (known.Account, input with { Certificate = CertificatePart.Of(certificate, known) });
        }
        return account is { } owner ? await Ask(http, owner, asked.Domain, input, cancel) : null;
    }

    async ValueTask<Caller?> Ask(HttpContext http, Storage.AccountId account, DomainConfiguration? domain, AuthorizerInput input, CancellationToken cancel)
    {
        Authorizer? authorizer;
        try
        {
            authorizer = await desk.Choose(account, domain, input, cancel);
        }
        catch (AuthorizerFailure failure)
        {
            desk.Note(account, input, failure);
            throw Refused();
        }
        if (authorizer is null)
            return domain?.AuthenticationType is DomainRules.CustomAuth or DomainRules.CustomAuthWithCertificate ? throw Refused() : null;
        var cache = authorizer.EnableCachingForHttp ? HttpAnswers.Of(http) : null;
        var key = (authorizer.Name, authorizer.LastModifiedAt, authorizer.TokenKeyName is { } name ? input.Find(name) : null, input.Find(AuthorizerInput.SignatureParameter));
        var answer = cache?.Find(key, clock.GetUtcNow());
        if (answer is null)
        {
            answer = await desk.Judge(authorizer, input, cancel) ?? throw Refused();
            cache?.Keep(key, answer, clock.GetUtcNow());
        }
        return CallerOf(CustomPrincipal.Of(authorizer, answer, input), input);
    }

    static Caller CallerOf(CustomPrincipal principal, AuthorizerInput input)
    {
        Dictionary<string, string> context = new(StringComparer.OrdinalIgnoreCase) { ["iot:Connection.Thing.IsAttached"] = "false" };
        if (input.SourceIp is { } address)
            context["aws:SourceIp"] = address;
        if (input.ServerName is { } name)
            context["iot:DomainName"] = name;
        return new()
        {
            Account = principal.Account,
            Arn = principal.Arn,
            UserId = principal.Id,
            Kind = CallerKind.CustomAuthorizer,
            Region = principal.Region,
            Policies = principal.Current.Answer.Policies,
            Context = context,
        };
    }

    static Api.ServiceException Refused() => Refuse.Forbidden("Custom authentication did not let the client in. The platform's log says why.");

    /// <summary>The door that a request came in by.</summary>
    public static ClientOrigin OriginOf(HttpContext http) => new()
    {
        IsSecure = http.Request.IsHttps,
        LocalEndPoint = http.Connection.LocalIpAddress is { } local ? new System.Net.IPEndPoint(local, http.Connection.LocalPort) : null,
        Certificate = http.Connection.ClientCertificate,
        ServerName = http.Features.Get<ITlsHandshakeFeature>()?.HostName is { Length: > 0 } name ? name : null,
        Http = new([.. http.Request.Headers.SelectMany(h => h.Value, (h, value) => KeyValuePair.Create(h.Key, value ?? ""))], http.Request.QueryString.Value ?? ""),
    };
}

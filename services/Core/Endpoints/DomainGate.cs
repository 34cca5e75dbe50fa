using Althing.Core.Authority;
using Althing.Core.DomainConfigurations;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Althing.Core.Endpoints;

/// <summary>Holds HTTP requests to what the domain configuration of the name allows that they came under.</summary>
sealed class DomainGate(ServerNames names)
{
    public async Task Pass(HttpContext http, RequestDelegate next)
    {
        var name = http.Features.Get<ITlsHandshakeFeature>()?.HostName;
        if (string.IsNullOrEmpty(name) || (await names.Account(name, http.RequestAborted)).Domain is not { } domain || WhyNot(domain, http.Request) is not { } why)
        {
            await next(http);
            return;
        }
        http.Response.StatusCode = StatusCodes.Status403Forbidden;
        http.Response.Headers["x-amzn-ErrorType"] = "ForbiddenException";
        await http.Response.WriteAsJsonAsync(new { message = $"The endpoint {name} {why}." }, http.RequestAborted);
    }

    static string? WhyNot(DomainConfiguration domain, HttpRequest request)
    {
        if (!domain.Enabled)
            return "is disabled";
        var protocol = request.Path == WebSocketDoor.Path ? DomainRules.MqttOverWebSocket : DomainRules.Https;
        if (domain.ApplicationProtocol != DomainRules.Default && domain.ApplicationProtocol != protocol)
            return $"is for {domain.ApplicationProtocol} alone";
        var signed = request.Headers.Authorization.ToString().StartsWith("AWS4-", StringComparison.Ordinal) || request.Query.ContainsKey("X-Amz-Signature");
        return domain.AuthenticationType switch
        {
            DomainRules.Default => null,
            DomainRules.Signature => signed ? null : "takes signed requests alone",
            var other => signed ? $"takes {other} alone" : null,
        };
    }
}

using Althing.Api;
using Althing.Api.SigV4;
using Althing.Broker;
using Althing.Core.CustomAuthorizers;
using Althing.Core.DomainConfigurations;
using Althing.Core.Endpoints;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Althing.Core.Authority;

/// <summary>
/// MQTT over WebSocket at <c>/mqtt</c>. Whoever signs the request that opens it, or brings an authorizer's token with it, is known from then
/// on; everybody else is known by what CONNECT brings, or by a TLS client certificate.
/// </summary>
sealed class WebSocketDoor(MqttWebSocketHandler broker, SigV4Verifier signatures, AuthorizerDesk desk, ServerNames serverNames)
{
    public const string Path = "/mqtt";

    /// <summary>The service that signatures are scoped to ("MQTT over WSS").</summary>
    const string SigningName = "iotdevicegateway";

    public async Task Handle(HttpContext http)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            http.Response.Headers.Upgrade = "websocket";
            await Refuse(http, StatusCodes.Status426UpgradeRequired, "UpgradeRequired", "MQTT is spoken here over WebSocket alone.");
            return;
        }
        if (!http.WebSockets.WebSocketRequestedProtocols.Contains(MqttWebSocketHandler.SubProtocol, StringComparer.Ordinal))
        {
            var offered = string.Join(", ", http.WebSockets.WebSocketRequestedProtocols);
            await Refuse(http, StatusCodes.Status400BadRequest, "InvalidRequestException",
                $"The WebSocket sub-protocol must be '{MqttWebSocketHandler.SubProtocol}' (MQTT 3.1.1 and 5); the client offers {(offered.Length > 0 ? $"'{offered}'" : "none")}.");
            return;
        }
        try
        {
            var origin = await Known(http, http.RequestAborted);
            // Keep-alive is MQTT's own business.
            using var socket = await http.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
            {
                SubProtocol = MqttWebSocketHandler.SubProtocol,
                KeepAliveInterval = Timeout.InfiniteTimeSpan,
            });
            await broker.Serve(socket, origin, RemoteAddress(http));
        }
        catch (ServiceException refusal)
        {
            await Refuse(http, refusal.Status, refusal.Code, refusal.Message);
        }
    }

    /// <summary>What the request says of its client.</summary>
    /// <exception cref="ServiceException">It brings credentials that let nobody in here.</exception>
    async ValueTask<ClientOrigin> Known(HttpContext http, CancellationToken cancel)
    {
        var origin = CustomCallers.OriginOf(http);
        var asked = await serverNames.Account(origin.ServerName, cancel);
        if (asked.Refused || !DomainRules.Takes(asked.Domain, origin))
            throw Core.Refuse.Forbidden($"The endpoint {origin.ServerName} does not take MQTT over WebSocket now.");
        if (await signatures.Authenticate(http.Request, cancel, SigningName) is { } caller)
        {
            if (asked.Account is { } account && account != caller.Account)
                throw Core.Refuse.Forbidden("The endpoint is another account's.");
            var token = http.Request.Query["X-Amz-Security-Token"].ToString() is { Length: > 0 } inQuery ? inQuery : http.Request.Headers["x-amz-security-token"].ToString();
            return origin with { Presented = IamPrincipal.Of(caller, token.Length > 0 ? token : null) };
        }
        return await ByToken(http, origin, asked, cancel);
    }

    /// <summary>An authorizer's credentials in the request itself are judged at once; those in CONNECT are when it comes.</summary>
    async ValueTask<ClientOrigin> ByToken(HttpContext http, ClientOrigin origin, ServerAccount asked, CancellationToken cancel)
    {
        var input = new AuthorizerInput
        {
            ServerName = origin.ServerName,
            IsSecure = origin.IsSecure,
            Http = origin.Http,
            SourceIp = http.Connection.RemoteIpAddress?.ToString(),
        };
        var named = input.Find(AuthorizerInput.NameParameter) is not null;
        if (!named && input.Find(AuthorizerInput.SignatureParameter) is null)
            return origin;
        if (DomainRules.MethodOf(asked.Domain, origin, named) != DomainRules.CustomAuth || (asked.Account ?? await serverNames.FirstAccount(cancel)) is not { } account)
            return origin;
        return await desk.Judge(account, asked.Domain, input, cancel) is { } judged
            ? origin with { Presented = CustomPrincipal.Of(judged.Authorizer, judged.Answer, input) }
            : throw Core.Refuse.Forbidden("Custom authentication did not let the client in. The platform's log says why.");
    }

    static string RemoteAddress(HttpContext http) => http.Connection.RemoteIpAddress is { } address
        ? new System.Net.IPEndPoint(address, http.Connection.RemotePort).ToString()
        : "unknown";

    static async Task Refuse(HttpContext http, int status, string code, string message)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        // What follows on the connection is no further request: the client meant to speak MQTT.
        http.Features.Get<IHttpResponseFeature>()!.Headers.Connection = "close";
        http.Response.StatusCode = status;
        http.Response.Headers["x-amzn-ErrorType"] = code;
        await http.Response.WriteAsJsonAsync(new { message }, http.RequestAborted);
    }
}

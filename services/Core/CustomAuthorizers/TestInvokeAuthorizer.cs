using Althing.Api;
using Althing.Broker;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

/// <summary>Asks an authorizer as a client would, and shows its answer.</summary>
[Operation<Iot>("POST /authorizer/{authorizerName}/test", ReadOnly = true)]
sealed class TestInvokeAuthorizer(IStore store, AuthorizerDesk desk) : Operation<TestInvokeAuthorizerRequest, TestInvokeAuthorizerResponse>
{
    protected override Permission Needs(TestInvokeAuthorizerRequest request, Caller caller) =>
        new("iot:TestInvokeAuthorizer", Authorizer.Arn(request.AuthorizerName, caller));

    protected override async ValueTask<TestInvokeAuthorizerResponse> Run(TestInvokeAuthorizerRequest request, Caller caller, CancellationToken cancel)
    {
        var authorizer = (await Authorizer.Require(store, caller.Account, request.AuthorizerName, cancel)).Value;
        if (!authorizer.Active)
            throw Refuse.InvalidRequest($"'{authorizer.Name}' is INACTIVE. Set its status to ACTIVE with UpdateAuthorizer first.");
        try
        {
            var answer = await desk.Ask(authorizer, Input(request), request.Token, request.TokenSignature, cancel);
            return answer.IsAuthenticated ? Response(answer) : new() { IsAuthenticated = false };
        }
        catch (AuthorizerFailure failure)
        {
            throw Refuse.InvalidResponse(failure.Message);
        }
    }

    static AuthorizerInput Input(TestInvokeAuthorizerRequest request) => new()
    {
        IsSecure = request.TlsContext is not null,
        ServerName = request.TlsContext?.ServerName,
        Http = request.HttpContext is { } http ? new HttpOpening([.. http.Headers ?? new Dictionary<string, string>()], http.QueryString ?? "") : null,
        Mqtt = request.MqttContext is { } mqtt ? new(mqtt.Username, mqtt.Password, mqtt.ClientId ?? "") : null,
    };

    static TestInvokeAuthorizerResponse Response(AuthorizerAnswer answer) => new()
    {
        IsAuthenticated = true,
        PrincipalId = answer.PrincipalId,
        PolicyDocuments = answer.PolicyTexts,
        RefreshAfterInSeconds = answer.RefreshSeconds,
        DisconnectAfterInSeconds = answer.DisconnectSeconds,
    };
}

sealed record TestInvokeAuthorizerRequest
{
    [Label, Length(1, 128), Pattern(Names.Authorizer)]
    public required string AuthorizerName { get; init; }
    [Length(1, 6144), Pattern(@"[\s\S]*")]
    public string? Token { get; init; }
    [Length(1, 2560), Pattern("[A-Za-z0-9+/]+={0,2}")]
    public string? TokenSignature { get; init; }
    public TestHttpContext? HttpContext { get; init; }
    public TestMqttContext? MqttContext { get; init; }
    public TestTlsContext? TlsContext { get; init; }
}

sealed record TestHttpContext
{
    [Each(KeyLengthMin = 1, KeyLengthMax = 8192, KeyPattern = @"[\s\S]*", LengthMin = 1, LengthMax = 8192, Pattern = @"[\s\S]*")]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }
    [Length(1, 4096), Pattern(@"[\s\S]*")]
    public string? QueryString { get; init; }
}

sealed record TestMqttContext
{
    [Length(1, 65535), Pattern(@"[\s\S]*")]
    public string? Username { get; init; }
    [Length(1, 65535)]
    public byte[]? Password { get; init; }
    [Length(1, 65535), Pattern(@"[\s\S]*")]
    public string? ClientId { get; init; }
}

sealed record TestTlsContext
{
    [Length(1, 253), Pattern(@"[\s\S]*")]
    public string? ServerName { get; init; }
}

sealed record TestInvokeAuthorizerResponse
{
    public bool? IsAuthenticated { get; init; }
    public string? PrincipalId { get; init; }
    public IReadOnlyList<string>? PolicyDocuments { get; init; }
    public int? RefreshAfterInSeconds { get; init; }
    public int? DisconnectAfterInSeconds { get; init; }
}

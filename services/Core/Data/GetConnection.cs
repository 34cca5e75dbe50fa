using System.Net;
using Althing.Api;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Core.Connectivity;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Data;

/// <summary>A client's connection, or the session that waits for it.</summary>
[Operation<IotData>("GET /connections/{clientId}")]
sealed class GetConnection(MqttBroker broker, RightsReader rights, IStore store) : Operation<GetConnectionRequest, GetConnectionResponse>
{
    protected override Permission Needs(GetConnectionRequest request, Caller caller) =>
        new("iot:GetConnection", caller.ArnOf("iot", "client/" + request.ClientId));

    protected override async ValueTask<GetConnectionResponse> Run(GetConnectionRequest request, Caller caller, CancellationToken cancel)
    {
        var state = await broker.FindState(caller.Account, request.ClientId, cancel)
            ?? throw Refuse.ResourceNotFound($"The client '{request.ClientId}' has neither a connection nor a session.");
        var last = (await store.Get(ClientConnectivity.Table, caller.Account, request.ClientId, cancel))?.Value;
        var live = request.IncludeSocketInformation is true && state.Connection is not null;
        var address = request.IncludeSocketInformation is true && IPEndPoint.TryParse(state.Connection?.RemoteAddress ?? "", out var end) ? end : null;
        return new()
        {
            ClientId = request.ClientId,
            Connected = state.Connection is not null,
            ThingName = await ThingName(state.Connection, caller, cancel),
            CleanSession = state.SessionExpiry == TimeSpan.Zero,
            SourceIp = address?.Address.ToString(),
            SourcePort = address?.Port,
            TargetIp = live && last is { Connected: true } ? last.TargetIp : null,
            TargetPort = live && last is { Connected: true } ? last.TargetPort : null,
            DisconnectReason = state.Connection is null && last is { Connected: false } ? last.DisconnectReason : null,
            KeepAliveDuration = (int?)state.Connection?.KeepAlive.TotalSeconds,
            ConnectedSince = state.Connection?.ConnectedAt.ToUnixTimeMilliseconds(),
            DisconnectedSince = state.DisconnectedAt?.ToUnixTimeMilliseconds(),
            SessionExpiry = (long)state.SessionExpiry.TotalSeconds,
        };
    }

    async ValueTask<string?> ThingName(ConnectionInfo? connection, Caller caller, CancellationToken cancel) =>
        connection is not null && Arn.TryParse(connection.PrincipalArn, out var principal) && principal.ResourceType == "cert"
            ? (await rights.BoundThing(caller.Account, PrincipalRef.OfCertificate(principal.ResourceId), connection.ClientId, cancel))?.Name
            : null;
}

sealed record GetConnectionRequest
{
    [Label, Length(1, 128), Pattern(@"^[^$].*")]
    public required string ClientId { get; init; }
    [Query]
    public bool? IncludeSocketInformation { get; init; }
}

sealed record GetConnectionResponse
{
    public bool? Connected { get; init; }
    public string? ThingName { get; init; }
    public bool? CleanSession { get; init; }
    public string? SourceIp { get; init; }
    public int? SourcePort { get; init; }
    public string? TargetIp { get; init; }
    public int? TargetPort { get; init; }
    public int? KeepAliveDuration { get; init; }
    public long? ConnectedSince { get; init; }
    public long? DisconnectedSince { get; init; }
    public string? DisconnectReason { get; init; }
    public long? SessionExpiry { get; init; }
    public string? ClientId { get; init; }
    public string? VpcEndpointId { get; init; }
}

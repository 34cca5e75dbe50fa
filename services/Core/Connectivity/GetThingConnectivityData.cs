using Althing.Api;
using Althing.Broker;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Connectivity;

/// <summary>
/// Whether a thing is connected, since when, or why not: of the client that is bound to it, or that is named like it. A thing that never
/// connected is not connected, for no reason.
/// </summary>
[Operation<Iot>("POST /things/{thingName}/connectivity-data", ReadOnly = true)]
sealed class GetThingConnectivityData(IStore store, MqttBroker broker) : Operation<GetThingConnectivityDataRequest, GetThingConnectivityDataResponse>
{
    const string None = "NONE";

    /// <summary>The process was killed with the client connected.</summary>
    const string Unknown = "UNKNOWN";

    protected override Permission Needs(GetThingConnectivityDataRequest request, Caller caller) =>
        new("iot:GetThingConnectivityData", caller.ArnOf("iot", "thing/" + request.ThingName));

    protected override async ValueTask<GetThingConnectivityDataResponse> Run(
        GetThingConnectivityDataRequest request, Caller caller, CancellationToken cancel)
    {
        var name = request.ThingName;
        if (await store.Get(Thing.Table, caller.Account, name, cancel) is null)
            throw Refuse.ResourceNotFound($"There is no thing '{name}'. ListThings shows those there are.");
        var rows = await store.Scan(ClientConnectivity.Table, caller.Account, Scan.By("thing", name), cancel);
        if (rows.Select(r => r.Value).OrderByDescending(r => (r.Connected, r.At)).FirstOrDefault() is not { } last)
            return new() { ThingName = name, Connected = false, DisconnectReason = None };
        var connected = last.Connected && (await broker.FindState(caller.Account, last.ClientId, cancel))?.Connection is not null;
        var answer = new GetThingConnectivityDataResponse
        {
            ThingName = name,
            Connected = connected,
            Timestamp = last.At,
            DisconnectReason = connected ? None : last.DisconnectReason ?? Unknown,
            ClientId = last.ClientId,
            KeepAliveDuration = last.KeepAliveSeconds,
            CleanSession = last.CleanSession,
            SessionExpiry = last.SessionExpirySeconds,
        };
        return request.IncludeSocketInformation is true
            ? answer with { SourceIp = last.SourceIp, SourcePort = last.SourcePort, TargetIp = last.TargetIp, TargetPort = last.TargetPort }
            : answer;
    }
}

sealed record GetThingConnectivityDataRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    public bool? IncludeSocketInformation { get; init; }
}

sealed record GetThingConnectivityDataResponse
{
    public string? ThingName { get; init; }
    public bool? Connected { get; init; }
    public DateTimeOffset? Timestamp { get; init; }
    public string? DisconnectReason { get; init; }
    public string? SourceIp { get; init; }
    public int? SourcePort { get; init; }
    public string? TargetIp { get; init; }
    public int? TargetPort { get; init; }
    public string? VpcEndpointId { get; init; }
    public int? KeepAliveDuration { get; init; }
    public bool? CleanSession { get; init; }
    public long? SessionExpiry { get; init; }
    public string? ClientId { get; init; }
}

using Althing.Api;
using Althing.Broker;
using Althing.Identity;

namespace Althing.Core.Data;

/// <summary>Disconnects a client; on request its session ends with the connection, and its will is not published.</summary>
[Operation<IotData>("DELETE /connections/{clientId}")]
sealed class DeleteConnection(MqttBroker broker) : Operation<DeleteConnectionRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteConnectionRequest request, Caller caller) =>
        new("iot:DeleteConnection", caller.ArnOf("iot", "client/" + request.ClientId));

    protected override async ValueTask<EmptyResponse> Run(DeleteConnectionRequest request, Caller caller, CancellationToken cancel) =>
        await broker.Disconnect(caller.Account, request.ClientId, cancel, request.CleanSession is true, request.PreventWillMessage is true)
            ? EmptyResponse.Instance
            : throw Refuse.ResourceNotFound($"The client '{request.ClientId}' is not connected.");
}

sealed record DeleteConnectionRequest
{
    [Label, Length(1, 128), Pattern(@"^[^$].*")]
    public required string ClientId { get; init; }
    [Query]
    public bool? CleanSession { get; init; }
    [Query]
    public bool? PreventWillMessage { get; init; }
}

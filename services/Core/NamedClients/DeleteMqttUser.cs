using Althing.Api;
using Althing.Core.Authority;
using Althing.Identity;

namespace Althing.Core.NamedClients;

/// <summary>Deletes a user of the plain MQTT listener; its connections end.</summary>
[Operation<NamedClientsApi>]
sealed class DeleteMqttUser(MqttUsers users) : Operation<DeleteMqttUserRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteMqttUserRequest request, Caller caller) =>
        new("althing:DeleteMqttUser", NamedClientsApi.Arn(request.UserName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteMqttUserRequest request, Caller caller, CancellationToken cancel) =>
        await users.Delete(caller.Account, request.UserName, cancel)
            ? EmptyResponse.Instance
            : throw Refuse.ResourceNotFound($"There is no MQTT user '{request.UserName}'.");
}

sealed record DeleteMqttUserRequest
{
    [Length(1, 128)]
    public required string UserName { get; init; }
}

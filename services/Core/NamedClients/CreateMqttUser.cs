using Althing.Api;
using Althing.Core.Authority;
using Althing.Identity;

namespace Althing.Core.NamedClients;

/// <summary>Makes a user of the plain MQTT listener, judged by policies as a certificate is. Names are unique on the whole platform.</summary>
[Operation<NamedClientsApi>]
sealed class CreateMqttUser(MqttUsers users) : Operation<CreateMqttUserRequest, EmptyResponse>
{
    protected override Permission Needs(CreateMqttUserRequest request, Caller caller) =>
        new("althing:CreateMqttUser", NamedClientsApi.Arn(request.UserName, caller));

    protected override async ValueTask<EmptyResponse> Run(CreateMqttUserRequest request, Caller caller, CancellationToken cancel)
    {
        await users.Create(new()
        {
            Account = caller.Account,
            Region = caller.Region,
            Name = request.UserName,
            Password = request.Password,
            PolicyNames = request.PolicyNames ?? [],
            PolicyDocuments = request.PolicyDocuments ?? [],
            ClientIdPattern = request.ClientIdPattern,
        }, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record CreateMqttUserRequest
{
    [Length(1, 128)]
    public required string UserName { get; init; }
    [Length(8, 1024)]
    public required string Password { get; init; }

    /// <summary>Policies of the account, as they are at any time.</summary>
    [Each(LengthMin = 1, LengthMax = 128)]
    public IReadOnlyList<string>? PolicyNames { get; init; }

    /// <summary>Policies of the user's own.</summary>
    public IReadOnlyList<string>? PolicyDocuments { get; init; }

    /// <summary>Client ids that the user may connect with, <c>*</c> for any run of characters and <c>?</c> for one; left out for every one.</summary>
    [Length(1, 128)]
    public string? ClientIdPattern { get; init; }
}

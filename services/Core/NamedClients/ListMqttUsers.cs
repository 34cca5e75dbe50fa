using Althing.Api;
using Althing.Core.Authority;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.NamedClients;

/// <summary>The users of the plain MQTT listener, by name.</summary>
[Operation<NamedClientsApi>(ReadOnly = true)]
sealed class ListMqttUsers(Listing listing) : Operation<ListMqttUsersRequest, ListMqttUsersResponse>
{
    protected override Permission Needs(ListMqttUsersRequest request, Caller caller) => new("althing:ListMqttUsers");

    protected override async ValueTask<ListMqttUsersResponse> Run(ListMqttUsersRequest request, Caller caller, CancellationToken cancel)
    {
        var page = await listing.Read(MqttUser.Table, caller, nameof(ListMqttUsers), Scan.All, request.NextToken, request.MaxResults, cancel);
        return new()
        {
            Users =
            [
                .. from user in page.Items
                   select new MqttUserDescription
                   {
                       UserName = user.Name,
                       CreationDate = user.CreatedAt,
                       PolicyNames = user.PolicyNames,
                       PolicyDocuments = user.PolicyDocuments,
                       ClientIdPattern = user.ClientIdPattern,
                   },
            ],
            NextToken = page.Next,
        };
    }
}

sealed record ListMqttUsersRequest
{
    [Range(1, 250)]
    public int? MaxResults { get; init; }
    public string? NextToken { get; init; }
}

sealed record ListMqttUsersResponse
{
    public required IReadOnlyList<MqttUserDescription> Users { get; init; }
    public string? NextToken { get; init; }
}

sealed record MqttUserDescription
{
    public required string UserName { get; init; }
    public required DateTimeOffset CreationDate { get; init; }
    public required IReadOnlyList<string> PolicyNames { get; init; }
    public required IReadOnlyList<string> PolicyDocuments { get; init; }
    public string? ClientIdPattern { get; init; }
}

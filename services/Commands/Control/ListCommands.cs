using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Commands.Control;

/// <summary>The account's commands by the time of their creation, the latest first unless asked otherwise.</summary>
[Operation<Iot>("GET /commands", Invalid = "ValidationException")]
sealed class ListCommands(Listing listing) : Operation<ListCommandsRequest, ListCommandsResponse>
{
    protected override Permission Needs(ListCommandsRequest request, Caller caller) => new("iot:ListCommands");

    protected override async ValueTask<ListCommandsResponse> Run(ListCommandsRequest request, Caller caller, CancellationToken cancel)
    {
        var name = $"ListCommands {request.Namespace} {request.CommandParameterName} {request.SortOrder}";
        var scan = new Scan { Index = "created", Descending = request.SortOrder != "ASCENDING" };
        var page = await listing.ReadWhere(Command.Table, caller, name, scan, Fits, request.NextToken, request.MaxResults, cancel, Refuse.Validation);
        return new()
        {
            Commands =
            [
                .. from command in page.Items
                   select new CommandSummary
                   {
                       CommandArn = caller.ArnOf("iot", "command/" + command.Id),
                       CommandId = command.Id,
                       DisplayName = command.DisplayName,
                       Deprecated = command.Deprecated,
                       CreatedAt = command.CreatedAt,
                       LastUpdatedAt = command.LastUpdatedAt,
                       PendingDeletion = command.PendingDeletion,
                   },
            ],
            NextToken = page.Next,
        };

        bool Fits(Command command) =>
            (request.Namespace is null || command.Namespace == request.Namespace)
            && (request.CommandParameterName is not { } parameter || command.MandatoryParameters?.Any(p => p.Name == parameter) is true);
    }
}

sealed record ListCommandsRequest
{
    [Query, Range(1, 100)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, OneOf("AWS-IoT", "AWS-IoT-FleetWise")]
    public string? Namespace { get; init; }
    [Query, Length(1, 192), Pattern("^[.$a-zA-Z0-9_-]+$")]
    public string? CommandParameterName { get; init; }
    [Query, OneOf("ASCENDING", "DESCENDING")]
    public string? SortOrder { get; init; }
}

sealed record ListCommandsResponse
{
    public IReadOnlyList<CommandSummary>? Commands { get; init; }
    public string? NextToken { get; init; }
}

sealed record CommandSummary
{
    public string? CommandArn { get; init; }
    public string? CommandId { get; init; }
    public string? DisplayName { get; init; }
    public bool? Deprecated { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
    public bool? PendingDeletion { get; init; }
}

using System.Globalization;
using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Commands.Executions;

/// <summary>The executions of a command, or those of a device, the latest first unless asked otherwise.</summary>
[Operation<Iot>("POST /command-executions", Invalid = "ValidationException", ReadOnly = true)]
sealed class ListCommandExecutions(Listing listing) : Operation<ListCommandExecutionsRequest, ListCommandExecutionsResponse>
{
    protected override Permission Needs(ListCommandExecutionsRequest request, Caller caller) => new("iot:ListCommandExecutions", request.CommandArn ?? request.TargetArn ?? "*");

    protected override void Check(ListCommandExecutionsRequest request)
    {
        if ((request.CommandArn is null) == (request.TargetArn is null))
            throw Refuse.Validation("Give either 'commandArn' or 'targetArn'.");
        if (request is { StartedTimeFilter: not null, CompletedTimeFilter: not null })
            throw Refuse.Validation("Give either 'startedTimeFilter' or 'completedTimeFilter'.");
        foreach (var filter in new[] { request.StartedTimeFilter, request.CompletedTimeFilter }.OfType<TimeFilter>())
            _ = (filter.From, filter.Until);
    }

    protected override async ValueTask<ListCommandExecutionsResponse> Run(ListCommandExecutionsRequest request, Caller caller, CancellationToken cancel)
    {
        var (index, value) = request.CommandArn is { } command ? ("command", CommandStore.CommandOf(command, caller)) : ("target", CommandStore.TargetOf(request.TargetArn!, caller));
        var scan = new Scan { Index = index, Prefix = Key.Prefix(value), Descending = request.SortOrder != "ASCENDING" };
        var name = $"ListCommandExecutions {value} {request.Namespace} {request.Status} {request.SortOrder} {request.StartedTimeFilter} {request.CompletedTimeFilter}";
        var page = await listing.ReadWhere(CommandExecution.Table, caller, name, scan, request.Fits, request.NextToken, request.MaxResults, cancel, Refuse.Validation);
        return new()
        {
            CommandExecutions =
            [
                .. from execution in page.Items
                   select new CommandExecutionSummary
                   {
                       CommandArn = caller.ArnOf("iot", "command/" + execution.CommandId),
                       ExecutionId = execution.Id,
                       TargetArn = caller.ArnOf("iot", execution.Target),
                       Status = execution.Status.ToString(),
                       CreatedAt = execution.CreatedAt,
                       StartedAt = execution.StartedAt,
                       CompletedAt = execution.CompletedAt,
                   },
            ],
            NextToken = page.Next,
        };
    }
}

sealed record ListCommandExecutionsRequest
{
    [Query, Range(1, 100)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [OneOf("AWS-IoT", "AWS-IoT-FleetWise")]
    public string? Namespace { get; init; }
    [OneOf("CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT")]
    public string? Status { get; init; }
    [OneOf("ASCENDING", "DESCENDING")]
    public string? SortOrder { get; init; }
    public TimeFilter? StartedTimeFilter { get; init; }
    public TimeFilter? CompletedTimeFilter { get; init; }
    [Length(0, 2048)]
    public string? TargetArn { get; init; }
    public string? CommandArn { get; init; }

    internal bool Fits(CommandExecution execution) =>
        (Namespace is null || execution.Namespace == Namespace)
        && (Status is null || execution.Status.ToString() == Status)
        && (StartedTimeFilter?.Holds(execution.StartedAt) ?? true)
        && (CompletedTimeFilter?.Holds(execution.CompletedAt) ?? true);
}

/// <summary>Times of the form <c>yyyy-MM-dd'T'HH:mm</c>, in UTC.</summary>
sealed record TimeFilter
{
    [Length(1, 64)]
    public string? After { get; init; }
    [Length(1, 64)]
    public string? Before { get; init; }

    internal DateTimeOffset? From => Parse(After, "after");
    internal DateTimeOffset? Until => Parse(Before, "before");

    internal bool Holds(DateTimeOffset? time) => time is { } at && !(at < From) && !(at > Until);

    static DateTimeOffset? Parse(string? text, string member) =>
        text is null ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : throw Refuse.Validation($"'{text}' at '{member}' is not a time of the form 2026-01-31T23:59.");
}

sealed record ListCommandExecutionsResponse
{
    public IReadOnlyList<CommandExecutionSummary>? CommandExecutions { get; init; }
    public string? NextToken { get; init; }
}

sealed record CommandExecutionSummary
{
    public string? CommandArn { get; init; }
    public string? ExecutionId { get; init; }
    public string? TargetArn { get; init; }
    public string? Status { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
}

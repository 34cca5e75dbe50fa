using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Logging;

/// <summary>The levels that are set, the default first.</summary>
[Operation<Iot>("GET /v2LoggingLevel")]
sealed class ListV2LoggingLevels(IStore store, Listing listing) : Operation<ListV2LoggingLevelsRequest, ListV2LoggingLevelsResponse>
{
    protected override Permission Needs(ListV2LoggingLevelsRequest request, Caller caller) => new("iot:ListV2LoggingLevels");

    protected override async ValueTask<ListV2LoggingLevelsResponse> Run(ListV2LoggingLevelsRequest request, Caller caller, CancellationToken cancel)
    {
        var settings = (await LoggingSettings.Require(store, caller.Account, cancel)).Value;
        List<LogTargetConfiguration> levels = [];
        if (request is { NextToken: null, TargetType: null or LogTarget.Default })
            levels.Add(new() { LogTarget = new() { TargetType = LogTarget.Default }, LogLevel = settings.DefaultLevel.ToString() });
        if (request.TargetType == LogTarget.Default)
            return new() { LogTargetConfigurations = levels };
        var scan = request.TargetType is { } type ? Scan.Under(Key.Prefix(type)) : Scan.All;
        var page = await listing.Read(LoggingLevel.Table, caller, $"ListV2LoggingLevels {request.TargetType}", scan, request.NextToken,
            request.MaxResults, cancel);
        levels.AddRange(page.Items.Select(l => new LogTargetConfiguration
        {
            LogTarget = new() { TargetType = l.TargetType, TargetName = l.TargetName },
            LogLevel = l.Level.ToString(),
        }));
        return new() { LogTargetConfigurations = levels, NextToken = page.Next };
    }
}

sealed record ListV2LoggingLevelsRequest
{
    [Query, OneOf("DEFAULT", "THING_GROUP", "CLIENT_ID", "SOURCE_IP", "PRINCIPAL_ID")]
    public string? TargetType { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
}

sealed record ListV2LoggingLevelsResponse
{
    public IReadOnlyList<LogTargetConfiguration>? LogTargetConfigurations { get; init; }
    public string? NextToken { get; init; }
}

sealed record LogTargetConfiguration
{
    public LogTarget? LogTarget { get; init; }
    public string? LogLevel { get; init; }
}

using System.Collections.Concurrent;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Logging;

/// <summary>
/// The IoT log: what became of devices' connections and messages, per account, written to the platform's structured log under the category
/// <c>Althing.Core.Logging.IotLog</c> with the fields of "CloudWatch AWS IoT log entries".
/// </summary>
/// <remarks>
/// It covers: connections made (INFO) and refused (ERROR), and publishing, subscribing and receiving that policies refused (ERROR; once for
/// each topic of a connection until its rights change). An account that never set logging options logs ERROR. Entries of ERROR and WARN
/// are written as warnings: a device's mistake is no failure of the platform.
/// </remarks>
sealed class IotLog(IStore store, ILogger<IotLog> logger) : IDisposable
{
    const string Denial = "AUTHORIZATION_FAILURE";

    readonly ConcurrentDictionary<AccountId, Levels> levels = new();
    readonly SemaphoreSlim reloading = new(1);

    sealed record Levels(IotLogLevel Default, bool DisableAll, Dictionary<(string Type, string Name), IotLogLevel> Targets)
    {
        public static readonly Levels Initial = new(IotLogLevel.ERROR, false, []);
    }

    /// <summary>Makes the account's levels known, if they are not.</summary>
    public async ValueTask Ready(AccountId account, CancellationToken cancel)
    {
        if (!levels.ContainsKey(account))
            await Reload(account, cancel);
    }

    /// <summary>Reads the account's levels again after they were changed.</summary>
    public async ValueTask Reload(AccountId account, CancellationToken cancel)
    {
        // One after the other, so that the last reading to be kept has seen every change before it.
        await reloading.WaitAsync(cancel);
        try
        {
            levels[account] = await Read(account, cancel);
        }
        finally
        {
            reloading.Release();
        }
    }

    async ValueTask<Levels> Read(AccountId account, CancellationToken cancel)
    {
        var settings = (await store.Get(LoggingSettings.Table, account, LoggingSettings.Key, cancel))?.Value;
        var targets = await store.Scan(LoggingLevel.Table, account, Scan.All, cancel);
        return new(settings?.DefaultLevel ?? Levels.Initial.Default, settings?.DisableAll ?? false,
            targets.ToDictionary(t => (t.Value.TargetType, t.Value.TargetName), t => t.Value.Level));
    }

    public void Dispose() => reloading.Dispose();

    public void Connected(ConnectedDevice device) =>
        Write(IotLogLevel.INFO, "Connect", device.Principal, device.ClientId, device.GroupNames, null, null);

    public void ConnectDenied(DevicePrincipal principal, string clientId) =>
        Write(IotLogLevel.ERROR, "Connect", principal, clientId, [], null, Denial);

    /// <summary>A known certificate that may not be used.</summary>
    public void Unidentified(DevicePrincipal principal, string reason) =>
        Write(IotLogLevel.ERROR, "Connect", principal, null, [], null, reason);

    public void Denied(ConnectedDevice device, DeviceAction action, string topic)
    {
        var eventType = action switch
        {
            DeviceAction.Subscribe => "Subscribe",
            DeviceAction.Receive => "Publish-Out",
            _ => "Publish-In",
        };
        Write(IotLogLevel.ERROR, eventType, device.Principal, device.ClientId, device.GroupNames, topic, Denial);
    }

    void Write(IotLogLevel level, string eventType, DevicePrincipal principal, string? clientId, IEnumerable<string> groups, string? topic, string? reason)
    {
        if (level > LevelOf(principal, clientId, groups))
            return;
        logger.Log(level is IotLogLevel.ERROR or IotLogLevel.WARN ? LogLevel.Warning : LogLevel.Information,
            "{LogLevel} {EventType} {Status} accountId={AccountId} clientId={ClientId} principalId={PrincipalId} sourceIp={SourceIp} topicName={TopicName} reason={Reason}",
            level, eventType, reason is null ? "Success" : "Failure", principal.Account, clientId, principal.Id, principal.SourceIp, topic, reason);
    }

    /// <summary>The most verbose of the levels set for what the device is; the default when none is.</summary>
    IotLogLevel LevelOf(DevicePrincipal principal, string? clientId, IEnumerable<string> groups)
    {
        var set = levels.GetValueOrDefault(principal.Account, Levels.Initial);
        if (set.DisableAll)
            return IotLogLevel.DISABLED;
        if (set.Targets.Count == 0)
            return set.Default;
        List<(string, string)> targets = [("PRINCIPAL_ID", principal.Id), ("CLIENT_ID", clientId ?? ""), ("SOURCE_IP", principal.SourceIp ?? "")];
        targets.AddRange(groups.Select(g => ("THING_GROUP", g)));
        var own = targets.Where(set.Targets.ContainsKey).Select(t => set.Targets[t]).ToList();
        return own.Count > 0 ? own.Max() : set.Default;
    }
}

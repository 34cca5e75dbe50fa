using System.Text.RegularExpressions;
using Althing.Broker;
using Althing.Storage;
using Microsoft.Extensions.Hosting;

namespace Althing.Core.Shadows;

/// <summary>The shadows' reserved topics ("Device Shadow MQTT topics"), and their housekeeping.</summary>
sealed partial class ShadowTopics(MqttBroker broker, ShadowDesk desk, TimeProvider clock) : BackgroundService
{
    static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);

    static readonly (string Name, ShadowVerb Verb)[] Verbs = [("get", ShadowVerb.Get), ("update", ShadowVerb.Update), ("delete", ShadowVerb.Delete)];

    /// <summary>Begins to answer; before the first connection.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, verb) in Verbs)
        {
            broker.Serve($"$aws/things/+/shadow/{name}", (account, message) => Take(account, message, verb));
            broker.Serve($"$aws/things/+/shadow/name/+/{name}", (account, message) => Take(account, message, verb));
        }
        return base.StartAsync(cancellationToken);
    }

    ValueTask Take(AccountId account, DeliveredMessage message, ShadowVerb verb)
    {
        var levels = message.Message.Topic.Split('/');
        var (thing, shadow) = (levels[2], levels.Length == 7 ? levels[5] : "");
        // No shadow can have such a name: there is nobody to answer, and no topic to answer on.
        if (!ThingNames().IsMatch(thing) || (levels.Length == 7 && !ShadowNames().IsMatch(shadow)))
            return default;
        return desk.Take(new(account, thing, shadow, verb, message.Message.Payload, message.Source?.ClientId) { ByTopic = true });
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SweepEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await desk.Sweep(stoppingToken);
    }

    [GeneratedRegex("^[a-zA-Z0-9:_-]{1,128}$", RegexOptions.CultureInvariant)]
    private static partial Regex ThingNames();

    [GeneratedRegex("^[$a-zA-Z0-9:_-]{1,64}$", RegexOptions.CultureInvariant)]
    private static partial Regex ShadowNames();
}

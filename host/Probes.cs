using System.Globalization;
using Althing.Broker;
using Althing.Storage;
using Althing.Telemetry;

namespace Althing.Host;

/// <summary>The tables take and give, and the disk has room for what the platform promises to keep.</summary>
sealed class StorageProbe(PlatformStorage storage) : IHealthProbe
{
    /// <summary>Below this, the next large write may fail.</summary>
    const long FreeBytesMin = 64 << 20;

    public string Name => "storage";

    public async ValueTask<string?> Check(CancellationToken cancel)
    {
        await storage.Check(cancel);
        var free = new DriveInfo(storage.Folder).AvailableFreeSpace;
        return free >= FreeBytesMin ? null : $"only {free >> 20} MB of disk are free";
    }
}

/// <summary>A message goes through the broker.</summary>
sealed class BrokerProbe(MqttBroker broker) : IHealthProbe
{
    public string Name => "broker";

    public string? Remark => broker.RecoveryProgress is { } part ? string.Create(CultureInfo.InvariantCulture, $"recovering, {part:P0} of the log read") : null;

    public async ValueTask<string?> Check(CancellationToken cancel)
    {
        // In the platform's own topic space, which no client can see. A topic for each check, so that checks do not answer each other.
        var topic = "health/" + Guid.NewGuid().ToString("N");
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var subscription = broker.Subscribe(AccountId.Platform, topic, _ => arrived.TrySetResult());
        await broker.Publish(AccountId.Platform, new(topic, ReadOnlyMemory<byte>.Empty), cancel);
        await arrived.Task.WaitAsync(cancel);
        return null;
    }
}

namespace Althing.Broker;

/// <summary>
/// The topic aliases that one MQTT 5 client is sent (section 3.3.2.3.4): the first topics get one each, as many as it takes; the others go
/// by name. Guarded by the session's gate, as all sending is.
/// </summary>
sealed class OutboundAliases(int most)
{
    readonly Dictionary<string, ushort> known = new(StringComparer.Ordinal);

    /// <summary>What to write for a topic: its alias alone, or name and alias to make it known, or its name alone.</summary>
    public (string Topic, ushort Alias) For(string topic)
    {
        if (known.TryGetValue(topic, out var alias))
            return ("", alias);
        if (known.Count >= most)
            return (topic, 0);
        alias = (ushort)(known.Count + 1);
        known.Add(topic, alias);
        return (topic, alias);
    }

    /// <summary>The packet that would have made an alias known was not sent.</summary>
    public void Forget(string topic) => known.Remove(topic);
}

using System.Text;
using Althing.Mqtt;

namespace Althing.Broker;

/// <summary>
/// The topics one connection published to of late, by their bytes, with what its policies said: most devices use a few topics again and
/// again, and then neither text nor judgement is made anew.
/// </summary>
/// <param name="slotCount">Topics known at once.</param>
sealed class KnownTopics(BrokerOptions options, ServedTopics served, int slotCount = KnownTopics.OfClient)
{
    const int OfClient = 64;
    KnownTopic?[]? slots;

    /// <summary>Those that are known now; any thread may ask.</summary>
    public IEnumerable<KnownTopic> All => (slots ?? []).Where(s => s is not null)!;

    /// <exception cref="MalformedPacketException">No topic that a client may publish to.</exception>
    public KnownTopic Find(ReadOnlySpan<byte> utf8)
    {
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref var slot = ref (slots ??= new KnownTopic[slotCount])[(uint)hash.ToHashCode() % (uint)slotCount];
        if (slot is { } known && utf8.SequenceEqual(known.Utf8))
            return known;
        return slot = Make(utf8);
    }

    KnownTopic Make(ReadOnlySpan<byte> utf8)
    {
        var name = Encoding.UTF8.GetString(utf8);
        if (TopicRules.WhyNotPublish(name, utf8.Length, options) is { } why)
            throw new MalformedPacketException(ReasonCode.TopicNameInvalid, why);
        return new(utf8.ToArray(), name, served.Has(name));
    }
}

/// <summary>A topic, and what the connection may do on it as of one version of its rights.</summary>
sealed class KnownTopic(byte[] utf8, string name, bool isServed)
{
    int judgedAt = int.MinValue;
    bool publish;
    bool? retain;
    Route? route;

    public byte[] Utf8 { get; } = utf8;
    public string Name { get; } = name;

    /// <summary>A service of the platform answers what is published there.</summary>
    public bool IsServed { get; } = isServed;

    long messages;
    long bytes;

    /// <summary>What the connection published there since it knows the topic.</summary>
    public Counted Counted => new(Volatile.Read(ref messages), Volatile.Read(ref bytes));

    /// <summary>Counts messages. The connection's own thread alone calls this.</summary>
    public void Count(int more, int payloadBytes)
    {
        messages += more;
        bytes += payloadBytes;
    }

    /// <summary>Who gets the topic's messages now.</summary>
    public Route RouteIn(AccountTopics space) => route is { } known && known.Version == space.Version ? known : route = space.RouteOf(Name);

    public bool MayPublish(DeviceSession device, bool retained)
    {
        var version = device.Version;
        if (judgedAt != version)
            (judgedAt, publish, retain) = (version, device.Allows(DeviceAction.Publish, Name), null);
        return publish && (!retained || (retain ??= device.Allows(DeviceAction.RetainPublish, Name)));
    }
}

/// <summary>What AWS IoT Core asks of topics beyond MQTT ("MQTT topics", "Reserved topics", quotas of the message broker).</summary>
static class TopicRules
{
    /// <summary>The slashes that <c>$aws/rules/NAME/</c>, <c>$aws/things/NAME/</c> and <c>$share/GROUP/</c> have of their own.</summary>
    const int ReservedSlashes = 3;

    /// <summary>Why a client must not publish to this topic; null when it may.</summary>
    public static string? WhyNotPublish(string topic, int utf8Bytes, BrokerOptions options)
    {
        if (!Topic.IsValidName(topic))
            return "The topic is empty or has a wildcard.";
        if (topic[0] == '$' && (!topic.StartsWith("$aws/", StringComparison.Ordinal) || topic.StartsWith("$aws/events/", StringComparison.Ordinal)))
            return $"The topic {topic} is reserved: only the platform publishes there.";
        return TooLong(topic, utf8Bytes, options);
    }

    /// <summary>Why a client must not subscribe to this filter; null when it may.</summary>
    public static string? WhyNotSubscribe(string filter, BrokerOptions options)
    {
        var (group, plain) = Topic.SplitShared(filter);
        if (group is "" || group?.AsSpan().ContainsAny('+', '#') == true)
            return $"{filter} is no shared subscription: $share/GROUP/FILTER is.";
        return Topic.IsValidFilter(plain) ? TooLong(filter, Encoding.UTF8.GetByteCount(plain), options) : $"{filter} is no topic filter.";
    }

    static string? TooLong(string topic, int utf8Bytes, BrokerOptions options)
    {
        if (utf8Bytes > options.TopicBytesMax)
            return $"The topic has {utf8Bytes} bytes; {options.TopicBytesMax} are allowed.";
        var allowed = topic[0] == '$' ? options.TopicSlashesMax + ReservedSlashes : options.TopicSlashesMax;
        return Topic.Slashes(topic) > allowed ? $"The topic {topic} has more than {allowed} slashes." : null;
    }
}

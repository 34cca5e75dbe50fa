using Althing.Storage;

namespace Althing.Core;

/// <summary>Messages of other services on <c>$aws/events/…</c>, which an account switches on and off by type ("Event messages").</summary>
public interface IEventMessages
{
    /// <summary>Publishes a message after all that were told before it, if the account wants messages of this type. Returns at once.</summary>
    /// <param name="type">The model's EventType, such as <c>JOB</c>; null for messages that no account can switch off.</param>
    /// <param name="topic">What follows <c>$aws/events/</c>.</param>
    /// <param name="payload">Written as JSON, names in camel case, what is null left out.</param>
    void Tell(AccountId account, string? type, string topic, object payload);
}

using System.Text.Json;
using Althing.Broker;
using Althing.Core.ThingGroups;
using Althing.Core.ThingTypes;
using Althing.Core.Things;

namespace Althing.Core.Events;

/// <summary>The messages of registry events: topics and payloads as "Registry events" shows them.</summary>
static class RegistryMessage
{
    // Unlike the API's answers, these payloads show what there is not as null.
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The event type that switches a resource's messages on; null when it has none.</summary>
    public static string? TypeOf(RegistryResource resource) => resource switch
    {
        RegistryResource.Thing => "THING",
        RegistryResource.ThingType => "THING_TYPE",
        RegistryResource.ThingTypeAssociation => "THING_TYPE_ASSOCIATION",
        RegistryResource.ThingGroup => "THING_GROUP",
        RegistryResource.ThingGroupMembership => "THING_GROUP_MEMBERSHIP",
        RegistryResource.ThingGroupHierarchy => "THING_GROUP_HIERARCHY",
        _ => null,
    };

    /// <summary>The message; null for a change that carries no detail to tell of.</summary>
    public static OutgoingMessage? Of(RegistryChange change, DateTimeOffset at) => change switch
    {
        { Resource: RegistryResource.Thing, Detail: Thing thing } => OfThing(change, thing, at),
        { Resource: RegistryResource.ThingType, Detail: ThingType type } => OfType(change, type, at),
        { Resource: RegistryResource.ThingTypeAssociation, Detail: Thing thing } => OfAssociation(change, thing, at),
        { Resource: RegistryResource.ThingGroup, Detail: GroupDetail group } => OfGroup(change, group, at),
        { Resource: RegistryResource.ThingGroupMembership, Detail: MembershipDetail member } => OfMembership(change, member, at),
        { Resource: RegistryResource.ThingGroupHierarchy, Detail: HierarchyDetail line } => OfHierarchy(change, line, at),
        _ => null,
    };

    static OutgoingMessage OfThing(RegistryChange change, Thing thing, DateTimeOffset at) => Say($"thing/{thing.Name}/{Happened(change)}", new
    {
        eventType = "THING_EVENT",
        eventId = NewId(),
        timestamp = at.ToUnixTimeMilliseconds(),
        operation = Happened(change).ToUpperInvariant(),
        accountId = change.Account.Value,
        thingId = thing.Id,
        thingName = thing.Name,
        versionNumber = thing.Version,
        thingTypeName = thing.TypeName,
        billingGroupName = thing.BillingGroupName,
        attributes = thing.Attributes,
    });

    static OutgoingMessage OfType(RegistryChange change, ThingType type, DateTimeOffset at) => Say($"thingType/{type.Name}/{Happened(change)}", new
    {
        eventType = "THING_TYPE_EVENT",
        eventId = NewId(),
        timestamp = at.ToUnixTimeMilliseconds(),
        operation = Happened(change).ToUpperInvariant(),
        accountId = change.Account.Value,
        thingTypeId = type.Id,
        thingTypeName = type.Name,
        isDeprecated = type.DeprecatedAt is not null,
        deprecationDate = type.DeprecatedAt?.ToUnixTimeMilliseconds(),
        searchableAttributes = type.SearchableAttributes ?? [],
        propagatingAttributes = type.Mqtt5?.PropagatingAttributes ?? [],
        description = type.Description,
    });

    static OutgoingMessage OfAssociation(RegistryChange change, Thing thing, DateTimeOffset at) =>
        Say($"thingTypeAssociation/thing/{thing.Name}/thingType/{change.Other}/{Joined(change)}", new
        {
            eventId = NewId(),
            eventType = "THING_TYPE_ASSOCIATION_EVENT",
            operation = Joined(change).ToUpperInvariant(),
            thingId = thing.Id,
            thingName = thing.Name,
            thingTypeName = change.Other,
            timestamp = at.ToUnixTimeMilliseconds(),
        });

    static OutgoingMessage OfGroup(RegistryChange change, GroupDetail detail, DateTimeOffset at) => Say($"thingGroup/{detail.Group.Name}/{Happened(change)}", new
    {
        eventType = "THING_GROUP_EVENT",
        eventId = NewId(),
        timestamp = at.ToUnixTimeMilliseconds(),
        operation = Happened(change).ToUpperInvariant(),
        accountId = change.Account.Value,
        thingGroupId = detail.Group.Id,
        thingGroupName = detail.Group.Name,
        versionNumber = detail.Group.Version,
        parentGroupName = detail.Group.ParentName,
        parentGroupId = detail.Ancestors is [.., var parent] ? parent.Id : null,
        description = detail.Group.Description,
        rootToParentThingGroups = detail.Ancestors.Select(a => new { groupArn = ArnOf(change, $"thinggroup/{a.Name}"), groupId = a.Id }),
        attributes = detail.Group.Attributes ?? new Dictionary<string, string>(),
        dynamicGroupMappingId = (string?)null,
    });

    static OutgoingMessage OfMembership(RegistryChange change, MembershipDetail detail, DateTimeOffset at) =>
        Say($"thingGroupMembership/thingGroup/{change.Other}/thing/{change.Id}/{Joined(change)}", new
        {
            eventType = "THING_GROUP_MEMBERSHIP_EVENT",
            eventId = NewId(),
            timestamp = at.ToUnixTimeMilliseconds(),
            operation = Joined(change).ToUpperInvariant(),
            accountId = change.Account.Value,
            groupArn = ArnOf(change, $"thinggroup/{change.Other}"),
            groupId = detail.GroupId,
            thingArn = ArnOf(change, $"thing/{change.Id}"),
            thingId = detail.ThingId,
            membershipId = detail.MembershipId,
        });

    static OutgoingMessage OfHierarchy(RegistryChange change, HierarchyDetail detail, DateTimeOffset at) =>
        Say($"thingGroupHierarchy/thingGroup/{detail.Parent.Name}/childThingGroup/{detail.Child.Name}/{Joined(change)}", new
        {
            eventType = "THING_GROUP_HIERARCHY_EVENT",
            eventId = NewId(),
            timestamp = at.ToUnixTimeMilliseconds(),
            operation = Joined(change).ToUpperInvariant(),
            accountId = change.Account.Value,
            thingGroupId = detail.Parent.Id,
            thingGroupName = detail.Parent.Name,
            childGroupId = detail.Child.Id,
            childGroupName = detail.Child.Name,
        });

    static OutgoingMessage Say(string topic, object payload) =>
        new("$aws/events/" + topic, JsonSerializer.SerializeToUtf8Bytes(payload, Json)) { QoS = 1 };

    static string Happened(RegistryChange change) => change.Verb switch
    {
        RegistryVerb.Created => "created",
        RegistryVerb.Updated => "updated",
        _ => "deleted",
    };

    static string Joined(RegistryChange change) => change.Verb == RegistryVerb.Deleted ? "removed" : "added";

    static string ArnOf(RegistryChange change, string resource) => $"arn:aws:iot:{change.Region}:{change.Account}:{resource}";

    static string NewId() => Guid.NewGuid().ToString();
}

using Althing.Storage;

namespace Althing.Core;

/// <summary>A kind of resource of the <c>iot</c> API that another service keeps and that can have tags. Registered as a singleton, TagResource and its kin serve it.</summary>
/// <param name="ResourceType">The part of the ARN that tells the kind, such as <c>job</c> in <c>…:job/ID</c>.</param>
/// <param name="Find">
/// What the tags of the resource with this id (the ARN behind the type) are kept under, such as <c>iot:job/ID</c>, or null when there is none.
/// The batch gets the condition that the resource stays.
/// </param>
public sealed record TaggedKind(string ResourceType, Func<Batch, AccountId, string, CancellationToken, ValueTask<string?>> Find);

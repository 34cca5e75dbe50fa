using Althing.Storage;

namespace Althing.Core;

/// <summary>What other services may know of things and thing groups without calling an operation. Changes are told by <see cref="RegistryChanges"/>.</summary>
public interface IRegistry
{
    /// <summary>The thing, or null.</summary>
    ValueTask<RegisteredThing?> FindThing(AccountId account, string name, CancellationToken cancel);

    /// <summary>The group, or null.</summary>
    ValueTask<RegisteredGroup?> FindGroup(AccountId account, string name, CancellationToken cancel);

    /// <summary>The names of the things in a group and in all groups below it, group after group; a thing may come twice.</summary>
    IAsyncEnumerable<string> MembersOf(AccountId account, string group, CancellationToken cancel);

    /// <summary>The groups that a thing is in, and all groups above them.</summary>
    ValueTask<IReadOnlySet<string>> GroupsOf(AccountId account, string thing, CancellationToken cancel);

    /// <summary>Adds the condition that the thing is there when the batch is committed.</summary>
    /// <returns>False when it is not.</returns>
    ValueTask<bool> RequireThing(Batch batch, AccountId account, string name, CancellationToken cancel);
}

/// <summary>A thing as the registry has it.</summary>
/// <param name="Id">A UUID that stays the same for the thing's life: another thing of the same name has another.</param>
public sealed record RegisteredThing(AccountId Account, string Name, string Id, string? TypeName, IReadOnlyDictionary<string, string> Attributes);

/// <summary>A thing group as the registry has it.</summary>
/// <param name="Id">A UUID that stays the same for the group's life.</param>
public sealed record RegisteredGroup(string Name, string Id);

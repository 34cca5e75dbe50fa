using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// A QoS 2 message that another node must get, as the log names who is owed it: a node in place of a session. After a crash it is sent again,
/// and known there by where it came from first.
/// </summary>
/// <param name="Origin">The node whose log had it first; empty for the node whose log this is.</param>
/// <param name="Id">Its number there.</param>
readonly record struct NodeDebt(string Node, AccountId Account, string Group, string Origin, long Id)
{
    /// <summary>Stands where the keys of sessions have an account.</summary>
    const string Mark = "node";

    public string Key => Storage.Key.Of(Mark, Node, Account.Value, Group, Origin, Id.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public static NodeDebt? Read(string key)
    {
        var parts = Storage.Key.Split(key);
        return parts is [Mark, var node, var account, var group, var origin, var id]
            ? new(node, AccountId.FromStorage(account), group, origin, long.Parse(id, System.Globalization.CultureInfo.InvariantCulture)) : null;
    }
}

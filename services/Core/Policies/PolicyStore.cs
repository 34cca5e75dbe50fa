using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

/// <summary>What several operations ask of policies.</summary>
sealed class PolicyStore(IStore store)
{
    /// <summary>Service quota "Policy document size": characters without white space.</summary>
    const int DocumentCharactersMax = 2048;

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<Policy>> Require(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Policy.Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no policy '{name}'. ListPolicies shows those there are.");

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public static PolicyVersion RequireVersion(Policy policy, string versionId) =>
        policy.Find(versionId)
        ?? throw Refuse.ResourceNotFound($"Policy '{policy.Name}' has no version {versionId}; it has {string.Join(", ", policy.Versions.Select(v => v.Id))}.");

    /// <summary>What the policy's tags are kept under.</summary>
    public static string TagKey(string name) => "iot:policy/" + name;

    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "policy/" + name);

    /// <exception cref="PolicyFormatException">The text is no policy for devices.</exception>
    public static PolicyDocument Parse(string document) => PolicyDocument.Parse(document, PolicyKind.Iot);

    /// <summary>Checks a document as devices' policies must be.</summary>
    /// <exception cref="Api.ServiceException">MalformedPolicyException, which says which statement is at fault.</exception>
    public static void CheckDocument(string document)
    {
        var characters = document.Count(c => !char.IsWhiteSpace(c));
        if (characters > DocumentCharactersMax)
            throw Refuse.MalformedPolicy($"The policy document has {characters} characters besides white space; {DocumentCharactersMax} are allowed.");
        try
        {
            Parse(document);
        }
        catch (PolicyFormatException refusal)
        {
            // The reader's message begins with the statement it is about.
            throw Refuse.MalformedPolicy($"The policy document is malformed: {refusal.Message}");
        }
    }
}

using Althing.Identity;

namespace Althing.Iam;

/// <summary>The rules of policies that are part of a user or role.</summary>
/// <remarks>"IAM and AWS STS quotas": sizes count characters without white space.</remarks>
static class InlinePolicies
{
    public const int UserCharactersMax = 2048;
    public const int RoleCharactersMax = 10_240;
    public const int TrustCharactersMax = 2048;

    /// <exception cref="Api.ServiceException">MalformedPolicyDocument, which says which statement is at fault.</exception>
    public static void Check(string document, PolicyKind kind)
    {
        try
        {
            PolicyDocument.Parse(document, kind);
        }
        catch (PolicyFormatException refusal)
        {
            throw Refuse.MalformedPolicy(refusal.Message);
        }
    }

    /// <summary>The policies with one more, or with a new text for one.</summary>
    /// <exception cref="Api.ServiceException">LimitExceeded: together they are too long.</exception>
    public static IReadOnlyDictionary<string, string> With(IReadOnlyDictionary<string, string> policies, string name, string document, int charactersMax, string owner)
    {
        Dictionary<string, string> all = new(policies) { [name] = document };
        if (all.Values.Sum(Characters) > charactersMax)
            throw Refuse.LimitExceeded($"Maximum policy size of {charactersMax} bytes exceeded for {owner}");
        return all;
    }

    /// <exception cref="Api.ServiceException">NoSuchEntity.</exception>
    public static IReadOnlyDictionary<string, string> Without(IReadOnlyDictionary<string, string> policies, string name, string owner)
    {
        Require(policies, name, owner);
        Dictionary<string, string> rest = new(policies);
        rest.Remove(name);
        return rest;
    }

    /// <summary>A policy's text as it goes over the wire: encoded as in a URL (RFC 3986).</summary>
    /// <exception cref="Api.ServiceException">NoSuchEntity.</exception>
    public static string Require(IReadOnlyDictionary<string, string> policies, string name, string owner) =>
        policies.TryGetValue(name, out var document) ? Encode(document) : throw Refuse.NoSuchEntity($"The {owner} has no policy with name {name}.");

    public static string Encode(string document) => Uri.EscapeDataString(document);

    public static void CheckTrust(string document)
    {
        Check(document, PolicyKind.Trust);
        if (Characters(document) > TrustCharactersMax)
            throw Refuse.LimitExceeded($"Cannot exceed quota for ACLSizePerRole: {TrustCharactersMax}");
    }

    static int Characters(string document) => document.Count(c => !char.IsWhiteSpace(c));
}

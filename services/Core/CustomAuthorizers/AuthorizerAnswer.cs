using System.Text.Json;
using Althing.Core.Policies;
using Althing.Identity;

namespace Althing.Core.CustomAuthorizers;

/// <summary>What a function said of a client, checked against what AWS takes ("Defining your Lambda function").</summary>
sealed record AuthorizerAnswer
{
    const int DocumentsMax = 10;
    const int DocumentCharactersMax = 2048;
    const int PrincipalCharactersMax = 128;
    const int DepthMax = 24;

    /// <summary>Both times may be from five minutes to a day; who gives none gets the day.</summary>
    const int SecondsMin = 300;
    const int SecondsMax = 86_400;

    public required bool IsAuthenticated { get; init; }
    public string PrincipalId { get; init; } = "";

    /// <summary>The documents as text, and as they are judged.</summary>
    public IReadOnlyList<string> PolicyTexts { get; init; } = [];
    public IReadOnlyList<PolicyDocument> Policies { get; init; } = [];
    public int RefreshSeconds { get; init; } = SecondsMax;
    public int DisconnectSeconds { get; init; } = SecondsMax;

    /// <exception cref="AuthorizerFailure">The answer is not such as AWS takes; the message says what of it.</exception>
    public static AuthorizerAnswer Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = DepthMax });
            return Read(document.RootElement);
        }
        catch (JsonException refusal)
        {
            throw new AuthorizerFailure($"The function's answer is not JSON: {refusal.Message}");
        }
    }

    static AuthorizerAnswer Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("isAuthenticated", out var authenticated)
            || authenticated.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            throw new AuthorizerFailure("The function's answer has no 'isAuthenticated' that is true or false.");
        if (!authenticated.GetBoolean())
            return new() { IsAuthenticated = false };
        var texts = Documents(root);
        return new()
        {
            IsAuthenticated = true,
            PrincipalId = Principal(root),
            PolicyTexts = texts,
            Policies = [.. texts.Select(Parse)],
            RefreshSeconds = Seconds(root, "refreshAfterInSeconds"),
            DisconnectSeconds = Seconds(root, "disconnectAfterInSeconds"),
        };
    }

    static string Principal(JsonElement root) =>
        root.TryGetProperty("principalId", out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= PrincipalCharactersMax } id
            && id.All(char.IsAsciiLetterOrDigit)
            ? id
            : throw new AuthorizerFailure($"The function's answer needs a 'principalId' of 1 to {PrincipalCharactersMax} letters and digits.");

    static List<string> Documents(JsonElement root)
    {
        if (!root.TryGetProperty("policyDocuments", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > DocumentsMax)
            throw new AuthorizerFailure($"The function's answer needs 'policyDocuments', an array of 1 to {DocumentsMax} policies.");
        List<string> texts = [];
        foreach (var item in list.EnumerateArray())
        {
            texts.Add(item.ValueKind switch
            {
                JsonValueKind.String => item.GetString()!,
                JsonValueKind.Object => item.GetRawText(),
                _ => throw new AuthorizerFailure("Each of 'policyDocuments' must be a policy as an object or as text."),
            });
        }
        return texts;
    }

    static PolicyDocument Parse(string text)
    {
        if (text.Count(c => !char.IsWhiteSpace(c)) > DocumentCharactersMax)
            throw new AuthorizerFailure($"One of 'policyDocuments' has more than {DocumentCharactersMax} characters besides white space.");
        try
        {
            return PolicyStore.Parse(text);
        }
        catch (PolicyFormatException refusal)
        {
            throw new AuthorizerFailure($"One of 'policyDocuments' is malformed: {refusal.Message}");
        }
    }

    static int Seconds(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return SecondsMax;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var seconds) && seconds is >= SecondsMin and <= SecondsMax
            ? seconds
            : throw new AuthorizerFailure($"'{name}' must be a whole number from {SecondsMin} to {SecondsMax}.");
    }
}

/// <summary>An authorizer could not say who the client is; the message is for the owner of the function.</summary>
sealed class AuthorizerFailure(string message) : Exception(message);

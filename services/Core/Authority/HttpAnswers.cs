using Althing.Core.CustomAuthorizers;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Althing.Core.Authority;

/// <summary>
/// What authorizers said during one persistent HTTP connection, for those that have caching enabled: good for as long as the function said
/// with <c>refreshAfterInSeconds</c>, and forgotten with the connection.
/// </summary>
sealed class HttpAnswers
{
    /// <summary>Different credentials on one connection; beyond these nothing more is kept.</summary>
    const int AnswersMax = 16;

    static readonly object ItemKey = typeof(HttpAnswers);

    readonly Lock gate = new();
    readonly Dictionary<(string, DateTimeOffset, string?, string?), (AuthorizerAnswer Answer, DateTimeOffset Until)> answers = [];

    /// <summary>The connection's answers; null where the server has no connections.</summary>
    public static HttpAnswers? Of(HttpContext http)
    {
        if (http.Features.Get<IConnectionItemsFeature>()?.Items is not { } items)
            return null;
        // Requests of one HTTP/2 connection run side by side.
        lock (items)
        {
            if (items.TryGetValue(ItemKey, out var there))
                return (HttpAnswers)there!;
            var made = new HttpAnswers();
            items[ItemKey] = made;
            return made;
        }
    }

    public AuthorizerAnswer? Find((string, DateTimeOffset, string?, string?) credentials, DateTimeOffset now)
    {
        lock (gate)
            return answers.TryGetValue(credentials, out var known) && now < known.Until ? known.Answer : null;
    }

    public void Keep((string, DateTimeOffset, string?, string?) credentials, AuthorizerAnswer answer, DateTimeOffset now)
    {
        lock (gate)
        {
            if (answers.Count < AnswersMax || answers.ContainsKey(credentials))
                answers[credentials] = (answer, now.AddSeconds(answer.RefreshSeconds));
        }
    }
}

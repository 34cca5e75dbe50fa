using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Althing.Storage;

namespace Althing.Api;

/// <summary>The answer to a call that carried an idempotency token. Key: account, operation and token.</summary>
sealed record FirstAnswer
{
    public static readonly Table<FirstAnswer> Table = new("idempotency", a => (a.Account, a.Key),
        Index<FirstAnswer>.On("expires", a => a.Expires.ToString("O", CultureInfo.InvariantCulture)));

    public required AccountId Account { get; init; }
    public required string Key { get; init; }

    /// <summary>SHA-256 of the request without its token.</summary>
    public required string RequestHash { get; init; }
    public required string Response { get; init; }

    /// <summary>In UTC.</summary>
    public required DateTimeOffset Expires { get; init; }
}

/// <summary>
/// Remembers for 24 hours, across restarts, what calls with an idempotency token were answered. The answer is stored behind the
/// operation's own commit: when the process dies between the two, a repeated call is judged as a new one.
/// </summary>
public sealed class IdempotencyStore(IStore store, TimeProvider time)
{
    static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    /// <summary>How many outlived answers each new one clears away: more than one, so that they never pile up.</summary>
    const int SweptPerCall = 10;

    /// <summary>Two calls with one token at the same time wait for each other. Stripes, so that they need no cleaning up.</summary>
    readonly SemaphoreSlim[] stripes = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Answers with the first answer to this token, or runs the operation and keeps what it answers. Refusals are not kept.</summary>
    internal async ValueTask<object> Run(
        OperationInfo operation, AccountId account, string token, JsonObject members, Func<ValueTask<object>> run, CancellationToken cancel)
    {
        var key = Key.Of(operation.Api.Name, operation.Name, token);
        var stripe = stripes[(uint)HashCode.Combine(account, key) % stripes.Length];
        await stripe.WaitAsync(cancel);
        try
        {
            var hash = HashOf(members, operation.TokenMember!.JsonName);
            if (await store.Get(FirstAnswer.Table, account, key, cancel) is { Value: var first } && first.Expires > time.GetUtcNow())
            {
                if (first.RequestHash != hash)
                    throw (operation.Api.TokenReused ?? operation.Invalid)($"The token '{token}' at '{operation.TokenMember.JsonName}' was used for another request. Give every request its own.");
                return JsonSerializer.Deserialize(first.Response, operation.ResponseType, Lenient(operation.Api))!;
            }
            var response = await run();
            await Keep(new()
            {
                Account = account,
                Key = key,
                RequestHash = hash,
                Response = JsonSerializer.Serialize(response, operation.ResponseType, operation.Api.Json),
                Expires = time.GetUtcNow() + KeptFor,
            });
            return response;
        }
        finally
        {
            stripe.Release();
        }
    }

    async ValueTask Keep(FirstAnswer answer)
    {
        var batch = new Batch().Put(FirstAnswer.Table, answer);
        var now = time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        var oldest = await store.Scan(FirstAnswer.Table, answer.Account, new() { Index = "expires", Limit = SweptPerCall }, CancellationToken.None);
        foreach (var row in oldest.Where(r => r.Key != answer.Key && string.CompareOrdinal(r.Value.Expires.ToString("O", CultureInfo.InvariantCulture), now) < 0))
            batch.Delete(FirstAnswer.Table, row.Account, row.Key);
        await store.Commit(batch, CancellationToken.None);
    }

    static string HashOf(JsonObject members, string tokenName)
    {
        JsonObject sorted = [];
        foreach (var (name, value) in members.Where(m => m.Key != tokenName).OrderBy(m => m.Key, StringComparer.Ordinal))
            sorted[name] = value?.DeepClone();
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(sorted)));
    }

    /// <summary>Answers are read back with members missing that were null when written.</summary>
    static JsonSerializerOptions Lenient(AwsApi api) => new(api.Json)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver
        {
            Modifiers =
            {
                static type =>
                {
                    foreach (var property in type.Properties)
                        property.IsRequired = false;
                },
            },
        },
    };
}

using Althing.Broker;
using Althing.Core.CustomAuthorizers;
using Althing.Storage;

namespace Althing.Core.Authority;

/// <summary>Who a custom authorizer says a client is; the policies of its answer say what the client may do.</summary>
sealed record CustomPrincipal(AccountId Account, string Id, string Arn) : DevicePrincipal(Account, Id, Arn)
{
    public required string AuthorizerName { get; init; }
    public required string Region { get; init; }

    /// <summary>What the client brought, to ask again with.</summary>
    public required AuthorizerInput Input { get; init; }

    /// <summary>The certificate that must stay active too, where the endpoint is for both.</summary>
    public string? CertificateId { get; init; }

    /// <summary>The answer in force; copies of the principal share it.</summary>
    public required CurrentAnswer Current { get; init; }

    public static CustomPrincipal Of(Authorizer authorizer, AuthorizerAnswer answer, AuthorizerInput input) =>
        new(authorizer.Account, answer.PrincipalId, $"arn:aws:iot:{authorizer.Region}:{authorizer.Account}:authorizer/{authorizer.Name}/{answer.PrincipalId}")
        {
            AuthorizerName = authorizer.Name,
            Region = authorizer.Region,
            Input = input,
            CertificateId = input.Certificate?.PrincipalId,
            Current = new(answer),
        };

    public override string ToString() => Arn;
}

/// <summary>The last answer of a function about one client.</summary>
sealed class CurrentAnswer(AuthorizerAnswer first)
{
    volatile AuthorizerAnswer answer = first;

    public AuthorizerAnswer Answer
    {
        get => answer;
        set => answer = value;
    }
}

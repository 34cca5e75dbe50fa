using Althing.Api;
using Althing.Core.Certificates;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Principals;

/// <summary>What several operations ask of things and principals.</summary>
sealed class ThingPrincipalStore(IStore store)
{
    /// <summary>The principal of a request as storage names it.</summary>
    /// <exception cref="ServiceException">InvalidRequestException for what is no principal, a thing group included.</exception>
    public static string Parse(string principal, Caller caller)
    {
        var parsed = PrincipalRef.Parse(principal, caller.Account);
        return PrincipalRef.GroupName(parsed) is null ? parsed
            : throw Refuse.InvalidRequest($"'{principal}' is a thing group and no principal: give the ARN of a certificate, or a Cognito identity id.");
    }

    /// <summary>The certificate's row; null for identities, which have none.</summary>
    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<Certificate>?> RequireCertificate(string principal, string text, Caller caller, CancellationToken cancel) =>
        PrincipalRef.CertificateId(principal) is not { } id ? null
        : await store.Get(Certificate.Table, caller.Account, id, cancel)
            ?? throw Refuse.ResourceNotFound($"There is no certificate '{text}' in this account.");
}

using Althing.Core.Endpoints;
using Althing.Core.ServerCertificates;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>Whether an account may serve a name of its own, and has a certificate for it.</summary>
static class DomainProof
{
    /// <exception cref="Api.ServiceException">InvalidRequestException for a name that is not to be had; CertificateValidationException.</exception>
    public static async ValueTask Check(
        IStore store, Batch batch, ServerNames names, EndpointOptions endpoints, DomainConfiguration domain, DateTimeOffset now, CancellationToken cancel)
    {
        var name = domain.DomainName;
        if (Uri.CheckHostName(name) != UriHostNameType.Dns || !name.Contains('.', StringComparison.Ordinal))
            throw Refuse.InvalidRequest($"'{name}' is not a full domain name such as iot.example.com.");
        if (name.Equals(endpoints.HostName, StringComparison.OrdinalIgnoreCase) || name.EndsWith("." + endpoints.HostName, StringComparison.OrdinalIgnoreCase))
            throw Refuse.InvalidRequest($"'{name}' is the platform's own name. Leave 'domainName' out for one under it.");
        if (await store.Get(DomainOwner.Table, AccountId.Platform, name, cancel) is not null)
            throw Refuse.InvalidRequest($"'{name}' is served already by a domain configuration of this platform.");
        var shown = await Require(store, batch, domain.Account, domain.ServerCertificateArn!, name, now, cancel);
        var proof = domain.ValidationCertificateArn is { } arn ? await Require(store, batch, domain.Account, arn, name, now, cancel) : null;
        // Whoever runs the platform knows its names; the other accounts must prove theirs, or one could take another's.
        if (domain.Account != await names.FirstAccount(cancel) && !(proof ?? shown).IsPubliclyTrusted())
        {
            throw Refuse.CertificateValidation($"Nothing proves that '{name}' is yours: the certificate is not signed by an authority that this platform trusts. "
                + "Import one that is, and give it as 'validationCertificateArn'.");
        }
    }

    static async ValueTask<ServerCertificate> Require(
        IStore store, Batch batch, AccountId account, string arn, string name, DateTimeOffset now, CancellationToken cancel)
    {
        if (ServerCertificate.IdIn(arn, account) is not { } id || await store.Get(ServerCertificate.Table, account, id, cancel) is not { } row)
            throw Refuse.CertificateValidation($"There is no certificate {arn} in this account. Import it with ACM's ImportCertificate.");
        if (row.Value.WhyNotFor(name, now) is { } why)
            throw Refuse.CertificateValidation($"The certificate {arn} cannot be used: {why}.");
        batch.Require(ServerCertificate.Table, row);
        return row.Value;
    }
}

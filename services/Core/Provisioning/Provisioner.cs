using System.Security.Cryptography.X509Certificates;
using Althing.Api;
using Althing.Core.CaCertificates;
using Althing.Core.Certificates;
using Althing.Core.Events;
using Althing.Core.Provisioning.Templates;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Provisioning;

/// <summary>Makes what a template asks for: all of it with one write, or nothing. The same again changes nothing.</summary>
sealed class Provisioner(DraftSources sources, DeviceIssuer issuer, CaStore authorities, PlatformPki pki, RegistryCommit commit)
{
    const int AttemptsMax = 20;

    /// <param name="begin">Begins each attempt's batch: conditions, and what must be written together with the resources.</param>
    /// <exception cref="ServiceException">
    /// ResourceRegistrationFailureException, InvalidRequestException, ConflictingResourceUpdateException, and what <paramref name="begin"/> refuses with.
    /// </exception>
    public ValueTask<Provisioned> Provision(Caller caller, ProvisioningPlan plan, Func<ValueTask<Batch>>? begin, CancellationToken cancel) =>
        Provision(caller, plan, begin, null, cancel);

    /// <param name="end">Adds to the batch what is known only of the resources made.</param>
    public async ValueTask<Provisioned> Provision(
        Caller caller, ProvisioningPlan plan, Func<ValueTask<Batch>>? begin, Action<Batch, Provisioned>? end, CancellationToken cancel)
    {
        var issued = plan.Certificate?.SigningRequest is { } request ? await Issue(request, caller, cancel) : null;
        for (var attempt = 1; ; attempt++)
        {
            var batch = begin is null ? new Batch() : await begin();
            try
            {
                var made = await Make(caller, plan, issued, batch, cancel);
                end?.Invoke(batch, made);
                await commit.Run(batch, made.Told, cancel);
                return made;
            }
            catch (StorageConflictException) when (attempt < AttemptsMax)
            {
                // Somebody else wrote first; what they wrote may change what is to be done.
            }
            catch (StorageConflictException)
            {
                throw Refuse.ConflictingResourceUpdate("Others change the same resources all the time. Try again.");
            }
        }
    }

    /// <summary>Adds all that the plan asks for to the batch.</summary>
    async ValueTask<Provisioned> Make(Caller caller, ProvisioningPlan plan, PreparedCertificate? issued, Batch batch, CancellationToken cancel)
    {
        try
        {
            var prepared = plan.Certificate?.Pem is { } pem ? await Read(pem, plan.Certificate.CaPem, caller, cancel) : issued;
            return await new Draft(sources, caller, plan, prepared, batch, cancel).Make();
        }
        catch (ServiceException refusal) when (refusal.Code is not ("ResourceRegistrationFailureException" or "InvalidRequestException"))
        {
            // What each resource's own operation would say is no error of registration's model.
            throw Refuse.ResourceRegistrationFailure(refusal.Message);
        }
    }

    async ValueTask<PreparedCertificate> Issue(string request, Caller caller, CancellationToken cancel)
    {
        using var issued = await issuer.Issue(caller.Account, request, "CertificateSigningRequest", caller.UserId, null, cancel);
        return new(sources.Certificates.Describe(issued, caller, CertificateStatus.ACTIVE), null);
    }

    async ValueTask<PreparedCertificate> Read(string pem, string? caPem, Caller caller, CancellationToken cancel)
    {
        using var parsed = X509.Parse(pem, "CertificatePem");
        var certificate = sources.Certificates.Describe(parsed, caller, CertificateStatus.ACTIVE);
        if (certificate.NotAfter <= sources.Clock.GetUtcNow())
            throw Refuse.ResourceRegistrationFailure($"The certificate expired at {certificate.NotAfter:u}.");
        if (caPem is null && X509.IsSignedBy(parsed, pki.Root))
            return new(certificate, null);
        var ca = await Signer(parsed, caPem, caller, cancel);
        return new(certificate with { CaCertificateId = ca.Value.Id, SniOnly = ca.Value.SniOnly }, ca);
    }

    async ValueTask<Row<CaCertificate>> Signer(X509Certificate2 certificate, string? caPem, Caller caller, CancellationToken cancel)
    {
        var signers = await authorities.Signers(caller.Account, certificate, cancel);
        if (caPem is not null)
        {
            using var named = X509.Parse(caPem, "CACertificatePem");
            var id = CertificateText.IdOf(named);
            signers = [.. signers.Where(s => s.Value.Id == id)];
        }
        return signers.Count switch
        {
            1 => signers[0],
            0 => throw Refuse.ResourceRegistrationFailure("No CA that is registered and ACTIVE in this account signed the certificate, or not the one in CACertificatePem."),
            _ => throw Refuse.ResourceRegistrationFailure("More than one registered CA has the same subject and public key. Say which one by CACertificatePem."),
        };
    }
}

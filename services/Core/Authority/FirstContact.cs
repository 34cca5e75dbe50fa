using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Althing.Api;
using Althing.Broker;
using Althing.Core.CaCertificates;
using Althing.Core.Certificates;
using Althing.Core.Provisioning;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Authority;

/// <summary>
/// Just-in-time registration ("Register a client certificate when the client connects"): a certificate that nobody registered, signed by a CA
/// that allows it, becomes PENDING_ACTIVATION, and <c>$aws/events/certificates/registered/CA-ID</c> says so, again at each further attempt
/// until it is activated. A CA with a provisioning template has it provisioned. The connection is refused either way: the device tries again.
/// </summary>
sealed class FirstContact(
    CaStore authorities, CertificateStore certificates, JustInTime justInTime, PlatformPublish publish, TimeProvider clock, ILogger<FirstContact> logger)
{
    public async ValueTask Greet(X509Certificate2 certificate, AccountId? account, CancellationToken cancel)
    {
        if (certificate.NotAfter.ToUniversalTime() <= clock.GetUtcNow()
            || await authorities.FindRegistering(certificate, account, cancel) is not { } ca)
            return;
        var caller = JustInTime.CallerOf(ca.Value);
        var pending = certificates.Describe(certificate, caller, CertificateStatus.PENDING_ACTIVATION) with
        {
            CaCertificateId = ca.Value.Id,
            SniOnly = ca.Value.SniOnly,
        };
        try
        {
            await certificates.Register(new Batch().Require(CaCertificate.Table, ca), pending, caller, cancel);
        }
        catch (Exception refusal) when (refusal is ServiceException or StorageConflictException)
        {
            // Somebody registered it, or changed the CA, in this very moment: the device's next attempt finds how things are.
            logger.LogInformation(refusal, "The certificate {CertificateId} was not registered at its first connection.", pending.Id);
            return;
        }
        await Announce(pending, cancel);
        await justInTime.Provision(ca.Value, pending, cancel);
    }

    /// <summary>A certificate that waits for its activation connects again: what could not be provisioned may be by now.</summary>
    public async ValueTask GreetAgain(Certificate pending, CancellationToken cancel)
    {
        await Announce(pending, cancel);
        if (pending.CaCertificateId is { } id && await authorities.Find(pending.Account, id, cancel) is { Value: { Active: true, AutoRegistration: true } ca })
            await justInTime.Provision(ca, pending, cancel);
    }

    async ValueTask Announce(Certificate pending, CancellationToken cancel)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(new
        {
            certificateId = pending.Id,
            caCertificateId = pending.CaCertificateId,
            timestamp = clock.GetUtcNow().ToUnixTimeMilliseconds(),
            certificateStatus = pending.Status.ToString(),
            awsAccountId = pending.Account.Value,
            certificateRegistrationTimestamp = pending.CreatedAt.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        });
        await publish(pending.Account, new($"$aws/events/certificates/registered/{pending.CaCertificateId}", payload), cancel);
    }
}

/// <summary>Publishes on behalf of the platform: the broker's, asked for when it is needed because the broker itself needs the authority.</summary>
delegate ValueTask PlatformPublish(AccountId account, OutgoingMessage message, CancellationToken cancel);

/// <summary>Whether anybody would get a message on this topic: most of what services say of themselves nobody asked for.</summary>
delegate bool PlatformAudience(AccountId account, string topic);

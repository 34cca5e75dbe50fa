using Althing.Core.CaCertificates;
using Althing.Core.Certificates;
using Althing.Core.Policies;
using Althing.Core.Principals;
using Althing.Core.Provisioning.Templates;
using Althing.Core.Things;
using Althing.Storage;

namespace Althing.Core.Provisioning;

/// <summary>A certificate that is not registered yet, made or read before anything is decided.</summary>
/// <param name="Authority">The CA that signed it; a change of it meanwhile has all decided anew.</param>
sealed record PreparedCertificate(Certificate Certificate, Row<CaCertificate>? Authority);

/// <summary>The certificate, its policies, and what it is attached to.</summary>
sealed partial class Draft
{
    async ValueTask<Certificate?> Certificate()
    {
        if (plan.Certificate is not { } wanted)
            return null;
        var id = wanted.Id ?? prepared!.Certificate.Id;
        var row = await store.Get(Certificates.Certificate.Table, caller.Account, id, cancel);
        arns[wanted.Part.LogicalName] = CertificateStore.Arn(id, caller);
        if (row is { } there)
            return Existing(there, wanted);
        if (prepared is null)
            throw Refuse.ResourceRegistrationFailure($"There is no certificate {id} in this account.");
        if (prepared.Authority is { } authority)
            batch.Require(CaCertificate.Table, authority);
        var made = prepared.Certificate with { Status = wanted.Active ? CertificateStatus.ACTIVE : CertificateStatus.INACTIVE };
        var owner = CertificateOwner.Of(made);
        var place = CertificateOwner.KeyOf(owner.CertificateId, owner.Owner, owner.SniOnly);
        if (await store.Get(CertificateOwner.Table, AccountId.Platform, place, cancel) is not null)
            throw Refuse.ResourceRegistrationFailure("The certificate is already registered in another account.");
        batch.Add(Certificates.Certificate.Table, made).Add(CertificateOwner.Table, owner);
        told.Add(Told(RegistryResource.Certificate, RegistryVerb.Created, made.Id, null, made));
        return made;
    }

    Certificate Existing(Row<Certificate> row, CertificatePlan wanted)
    {
        var before = row.Value;
        if (before.Status is CertificateStatus.REVOKED or CertificateStatus.PENDING_TRANSFER)
            throw Refuse.ResourceRegistrationFailure($"Certificate {before.Id} is {before.Status} and cannot be provisioned.");
        var status = wanted.Active ? CertificateStatus.ACTIVE : CertificateStatus.INACTIVE;
        var after = before;
        if (before.Status != status)
        {
            // A certificate that waits for its activation gets its status from the template whatever the setting.
            var setting = before.Status == CertificateStatus.PENDING_ACTIVATION ? Override.REPLACE : wanted.Part.StatusOverride;
            after = setting switch
            {
                Override.REPLACE => sources.Certificates.Touch(before) with { Status = status },
                Override.DO_NOTHING => before,
                _ => throw Conflict($"Certificate {before.Id} is {before.Status}, another status", "Status"),
            };
        }
        batch.Replace(Certificates.Certificate.Table, row, after);
        if (after.Status != before.Status)
            told.Add(Told(RegistryResource.Certificate, RegistryVerb.Updated, after.Id, null, after));
        return after;
    }

    async ValueTask Policies(Certificate? certificate)
    {
        var target = certificate is null ? null : PrincipalRef.OfCertificate(certificate.Id);
        HashSet<string> attached = target is null ? []
            : [.. (await store.Scan(PolicyAttachment.Table, caller.Account, Scan.By("target", target), cancel)).Select(a => a.Value.PolicyName)];
        foreach (var wanted in plan.Policies)
        {
            await Policy(wanted);
            arns[wanted.Part.LogicalName] = PolicyStore.Arn(wanted.Name, caller);
            if (target is null || !attached.Add(wanted.Name))
                continue;
            if (attached.Count > PolicyTargets.PoliciesPerPrincipalMax)
                throw Refuse.ResourceRegistrationFailure($"A certificate has at most {PolicyTargets.PoliciesPerPrincipalMax} policies; {certificate!.Id} would have more.");
            batch.Add(PolicyAttachment.Table, new() { Account = caller.Account, PolicyName = wanted.Name, Target = target });
            told.Add(new(RegistryResource.PolicyAttachment, RegistryVerb.Created, caller.Account, wanted.Name, target));
        }
    }

    async ValueTask Policy(PolicyPlan wanted)
    {
        if (await store.Get(Core.Policies.Policy.Table, caller.Account, wanted.Name, cancel) is { } row)
        {
            if (row.Value.Deleting)
                batch.Replace(Core.Policies.Policy.Table, row, row.Value with { Deleting = false });
            else
                batch.Require(Core.Policies.Policy.Table, row);
            return;
        }
        if (wanted.Document is null)
            throw Refuse.ResourceRegistrationFailure($"There is no policy '{wanted.Name}', which the template names. Create it first.");
        var now = sources.Clock.GetUtcNow();
        var policy = new Policy
        {
            Account = caller.Account,
            Name = wanted.Name,
            GenerationId = Guid.NewGuid().ToString(),
            CreatedAt = now,
            LastModifiedAt = now,
            DefaultVersion = 1,
            LastVersion = 1,
            Versions = [new(1, wanted.Document, now)],
        };
        batch.Add(Core.Policies.Policy.Table, policy);
        told.Add(new(RegistryResource.Policy, RegistryVerb.Created, caller.Account, policy.Name) { Detail = policy });
    }

    async ValueTask Attach(string thingName, Certificate certificate)
    {
        var principal = PrincipalRef.OfCertificate(certificate.Id);
        var attached = await store.Scan(ThingPrincipal.Table, caller.Account, Scan.By("principal", principal) with { Limit = 2 }, cancel);
        if (await store.Get(ThingPrincipal.Table, caller.Account, Key.Of(thingName, principal), cancel) is not null)
            return;
        if (attached.FirstOrDefault(a => a.Value.Exclusive) is { Value: { } other })
            throw Refuse.ResourceRegistrationFailure($"Certificate {certificate.Id} is attached exclusively to the thing '{other.ThingName}'.");
        var wanted = new ThingPrincipal { Account = caller.Account, ThingName = thingName, Principal = principal, Exclusive = false };
        batch.Put(ThingPrincipal.Table, wanted);
        told.Add(Told(RegistryResource.ThingPrincipal, RegistryVerb.Created, thingName, principal, wanted));
    }
}

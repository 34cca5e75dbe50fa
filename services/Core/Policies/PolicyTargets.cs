using Althing.Core.Certificates;
using Althing.Core.Principals;
using Althing.Core.ThingGroups;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

/// <summary>Attaches policies to certificates, thing groups and identities, and finds what is attached.</summary>
sealed class PolicyTargets(IStore store, PolicyStore policies, RegistryChanges changes)
{
    /// <summary>Service quota "Maximum number of policies that can be attached to a certificate or Amazon Cognito identity".</summary>
    public const int PoliciesPerPrincipalMax = 10;

    /// <summary>"Thing groups", section on attaching policies: two to a group.</summary>
    public const int PoliciesPerGroupMax = 2;

    /// <summary>Attaches; without effect when attached already.</summary>
    /// <exception cref="Api.ServiceException">ResourceNotFoundException, LimitExceededException, InvalidRequestException.</exception>
    public async ValueTask Attach(Caller caller, string policyName, string targetText, CancellationToken cancel)
    {
        var target = PrincipalRef.Parse(targetText, caller.Account);
        var policy = await policies.Require(caller.Account, policyName, cancel);
        var batch = new Batch();
        await Touch(batch, caller.Account, target, targetText, cancel);
        var attached = await OfTarget(caller.Account, target, cancel);
        if (attached.Any(a => a.Value.PolicyName == policyName))
            return;
        var most = PrincipalRef.GroupName(target) is null ? PoliciesPerPrincipalMax : PoliciesPerGroupMax;
        if (attached.Count >= most)
            throw Refuse.LimitExceeded($"'{targetText}' has {attached.Count} policies attached and may have {most}. Detach one first.");
        if (policy.Value.Deleting)
            batch.Replace(Policy.Table, policy, policy.Value with { Deleting = false });
        else
            batch.Require(Policy.Table, policy);
        batch.Add(PolicyAttachment.Table, new() { Account = caller.Account, PolicyName = policyName, Target = target });
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.PolicyAttachment, RegistryVerb.Created, caller.Account, policyName, target));
    }

    /// <summary>Detaches; false when it was not attached.</summary>
    public async ValueTask<bool> Detach(Caller caller, string policyName, string targetText, CancellationToken cancel)
    {
        var target = PrincipalRef.Parse(targetText, caller.Account);
        if (await store.Get(PolicyAttachment.Table, caller.Account, Key.Of(policyName, target), cancel) is not { } row)
            return false;
        var batch = new Batch().Delete(PolicyAttachment.Table, row);
        if (IsIdentity(target) && await store.Get(PolicyIdentity.Table, caller.Account, target, cancel) is { } identity
            && (await OfTarget(caller.Account, target, cancel)).Count == 1)
            batch.Delete(PolicyIdentity.Table, identity);
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.PolicyAttachment, RegistryVerb.Deleted, caller.Account, policyName, target));
        return true;
    }

    public ValueTask<IReadOnlyList<Row<PolicyAttachment>>> OfTarget(AccountId account, string target, CancellationToken cancel) =>
        store.Scan(PolicyAttachment.Table, account, Scan.By("target", target), cancel);

    /// <summary>The group and its ancestors, nearest first; a group that is gone ends the line.</summary>
    public async ValueTask<IReadOnlyList<string>> Lineage(AccountId account, string groupName, CancellationToken cancel)
    {
        List<string> line = [];
        for (var name = groupName; name is not null && !line.Contains(name);)
        {
            if (await store.Get(ThingGroup.Table, account, name, cancel) is not { } group)
                break;
            line.Add(name);
            name = group.Value.ParentName;
        }
        return line;
    }

    /// <summary>The names of the policies on a principal, if given, and on all groups of a thing and their ancestors, if given.</summary>
    public async ValueTask<IReadOnlyList<string>> Effective(AccountId account, string? principal, string? thingName, CancellationToken cancel)
    {
        HashSet<string> targets = principal is null ? [] : [principal];
        if (thingName is not null)
        {
            foreach (var member in await store.Scan(ThingGroupMember.Table, account, Scan.By("thing", thingName), cancel))
            {
                foreach (var group in await Lineage(account, member.Value.GroupName, cancel))
                    targets.Add(PrincipalRef.OfGroup(group));
            }
        }
        SortedSet<string> names = new(StringComparer.Ordinal);
        foreach (var target in targets)
            names.UnionWith((await OfTarget(account, target, cancel)).Select(a => a.Value.PolicyName));
        return [.. names];
    }

    /// <summary>Refuses a certificate or group that is not there.</summary>
    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask RequireTarget(AccountId account, string target, string targetText, CancellationToken cancel)
    {
        if (PrincipalRef.CertificateId(target) is not null)
            await RequireCertificate(account, target, targetText, cancel);
        else if (PrincipalRef.GroupName(target) is not null)
            await RequireGroup(account, target, targetText, cancel);
    }

    // The target's own row is written again: that makes two attachments at once, or an attachment and a deletion, meet each other.
    async ValueTask Touch(Batch batch, AccountId account, string target, string targetText, CancellationToken cancel)
    {
        if (PrincipalRef.CertificateId(target) is not null)
        {
            var certificate = await RequireCertificate(account, target, targetText, cancel);
            if (certificate.Value.Status == CertificateStatus.PENDING_TRANSFER)
                throw Refuse.InvalidRequest($"Certificate '{targetText}' is being transferred; accept, reject or cancel the transfer first.");
            batch.Replace(Certificate.Table, certificate, certificate.Value);
        }
        else if (PrincipalRef.GroupName(target) is not null)
        {
            var group = await RequireGroup(account, target, targetText, cancel);
            batch.Replace(ThingGroup.Table, group, group.Value);
        }
        else if (await store.Get(PolicyIdentity.Table, account, target, cancel) is { } identity)
        {
            batch.Replace(PolicyIdentity.Table, identity, identity.Value);
        }
        else
        {
            batch.Add(PolicyIdentity.Table, new() { Account = account, Identity = target });
        }
    }

    async ValueTask<Row<Certificate>> RequireCertificate(AccountId account, string target, string targetText, CancellationToken cancel) =>
        await store.Get(Certificate.Table, account, PrincipalRef.CertificateId(target)!, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no certificate '{targetText}' in this account.");

    async ValueTask<Row<ThingGroup>> RequireGroup(AccountId account, string target, string targetText, CancellationToken cancel) =>
        await store.Get(ThingGroup.Table, account, PrincipalRef.GroupName(target)!, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no thing group '{targetText}' in this account.");

    static bool IsIdentity(string target) => PrincipalRef.CertificateId(target) is null && PrincipalRef.GroupName(target) is null;
}

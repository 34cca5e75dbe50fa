using System.Collections.Concurrent;
using Althing.Core.DomainConfigurations;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Authority;

/// <summary>
/// Keeps the rights of connected devices in step with the registry: every change of a policy, an attachment, a certificate, a thing or a
/// group leads to a new judgement of the devices it concerns, a moment after the change was committed.
/// </summary>
sealed class RightsKeeper : IDisposable
{
    /// <summary>When storage fails, the devices keep the rights they had and the keeper tries again after this time.</summary>
    static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);

    readonly ConcurrentDictionary<AccountId, LiveSessions> sessions = new();
    readonly Lock gate = new();
    /// <summary>Users and roles are few, and so are their changes: any of them concerns all of an account's signers.</summary>
    const string SignersKey = "principal/signers";

    readonly RegistryChanges changes;
    readonly SigningKeys keys;
    readonly SharedRights shared;
    readonly RightsReader reader;
    readonly TimeProvider clock;
    readonly ILogger<RightsKeeper> logger;

    // At most one entry for each thing that lives in memory, whatever the rate of changes.
    HashSet<(AccountId Account, string Key)> pending = [];
    Task working = Task.CompletedTask;
    bool idle = true;

    public RightsKeeper(
        RegistryChanges changes, SigningKeys keys, SharedRights shared, RightsReader reader, TimeProvider clock, ILogger<RightsKeeper> logger)
    {
        (this.changes, this.keys, this.shared, this.reader, this.clock, this.logger) = (changes, keys, shared, reader, clock, logger);
        changes.Changed += Note;
        keys.Altered += NoteSigners;
    }

    /// <summary>Completes when everything noted so far has been dealt with; for tests and an orderly end.</summary>
    public Task Settled
    {
        get
        {
            lock (gate)
                return working;
        }
    }

    /// <summary>Gives a new connection its rights and keeps them from now on; false when it may not connect.</summary>
    public async ValueTask<bool> Admit(ConnectedDevice device, CancellationToken cancel)
    {
        var live = sessions.GetOrAdd(device.Principal.Account, _ => new());
        // Known before its rights are read: a change that comes while they are read is then not missed.
        List<string> noted = [PrincipalKey(device), ThingKey(device.ClientId)];
        if (device.Principal.ServerName is { Length: > 0 } name)
            noted.Add(DomainKey(name));
        foreach (var key in noted)
            live.Add(key, device);
        if (await Compile(device, cancel))
            return true;
        foreach (var key in noted)
            live.Remove(key, device);
        return false;
    }

    /// <summary>Reads the rights of a connection anew; false when they no longer let it connect.</summary>
    public ValueTask<bool> Renew(ConnectedDevice device, CancellationToken cancel) => Compile(device, cancel);

    public void Note(AccountId account, string key)
    {
        var concerned = key.StartsWith("policy/", StringComparison.Ordinal) || key.StartsWith("group/", StringComparison.Ordinal)
            ? shared.Invalidate(account, key) is not null
            : sessions.TryGetValue(account, out var live) && live.Has(key);
        if (!concerned)
            return;
        lock (gate)
        {
            pending.Add((account, key));
            if (!idle)
                return;
            idle = false;
            working = Task.Run(Work);
        }
    }

    public static string UserKey(string userName) => "principal/user/" + userName;

    public void Dispose()
    {
        changes.Changed -= Note;
        keys.Altered -= NoteSigners;
    }

    void NoteSigners()
    {
        foreach (var account in sessions.Keys)
            Note(account, SignersKey);
    }

    static string DomainKey(string serverName) => "domain/" + serverName.ToLowerInvariant();

    static string ThingKey(string name) => "thing/" + name;

    static string TypeKey(string name) => "type/" + name;

    static string PrincipalKey(string principal) => "principal/" + principal;

    static string PrincipalKey(ConnectedDevice device) => device.Principal switch
    {
        IamPrincipal => SignersKey,
        CustomPrincipal { CertificateId: { } certificate } => PrincipalKey(PrincipalRef.OfCertificate(certificate)),
        CustomPrincipal custom => PrincipalKey("custom/" + custom.Id),
        var other when MqttUser.NameOf(other) is { } user => UserKey(user),
        var other => PrincipalKey(PrincipalRef.OfCertificate(other.Id)),
    };

    void Note(RegistryChange change)
    {
        var other = change.Other ?? "";
        switch (change.Resource)
        {
            case RegistryResource.Policy:
                Note(change.Account, SharedRights.PolicyKey(change.Id));
                break;
            case RegistryResource.PolicyAttachment:
                Note(change.Account, PrincipalRef.GroupName(other) is { } group ? SharedRights.GroupKey(group) : PrincipalKey(other));
                break;
            case RegistryResource.Certificate:
                Note(change.Account, PrincipalKey(PrincipalRef.OfCertificate(change.Id)));
                break;
            case RegistryResource.DomainConfiguration when change.Detail is DomainConfiguration domain:
                Note(change.Account, DomainKey(domain.DomainName));
                break;
            case RegistryResource.ThingType:
                Note(change.Account, TypeKey(change.Id));
                break;
            case RegistryResource.ThingGroup or RegistryResource.ThingGroupHierarchy:
                Note(change.Account, SharedRights.GroupKey(change.Id));
                Note(change.Account, SharedRights.GroupKey(other));
                break;
            case RegistryResource.Thing or RegistryResource.ThingTypeAssociation or RegistryResource.ThingGroupMembership
                or RegistryResource.ThingPrincipal:
                // Whichever end of the relation is named first.
                Note(change.Account, ThingKey(change.Id));
                Note(change.Account, ThingKey(other));
                Note(change.Account, PrincipalKey(change.Id));
                Note(change.Account, PrincipalKey(other));
                break;
        }
    }

    async Task Work()
    {
        while (true)
        {
            HashSet<(AccountId, string)> batch;
            lock (gate)
            {
                if (pending.Count == 0)
                {
                    idle = true;
                    return;
                }
                (batch, pending) = (pending, []);
            }
            try
            {
                await Apply(batch);
            }
            catch (Exception failure)
            {
                logger.LogError(failure, "The rights of connected devices could not be brought up to date; trying again.");
                lock (gate)
                    pending.UnionWith(batch);
                await Task.Delay(RetryAfter, clock);
            }
        }
    }

    async Task Apply(HashSet<(AccountId Account, string Key)> batch)
    {
        foreach (var account in batch.GroupBy(b => b.Account))
        {
            if (!sessions.TryGetValue(account.Key, out var live))
                continue;
            List<Shared> changed = [];
            HashSet<ConnectedDevice> again = [];
            foreach (var (_, key) in account)
            {
                if (shared.Find(account.Key, key) is { } one)
                {
                    await one.Refresh(shared, CancellationToken.None);
                    changed.Add(one);
                }
                again.UnionWith(live.Of(key));
            }
            foreach (var device in again)
            {
                if (!device.IsRevoked)
                    await Compile(device, CancellationToken.None);
            }
            if (changed.Count > 0)
            {
                foreach (var device in live.All().Where(d => changed.Exists(d.Uses)))
                    device.Rejudge();
            }
        }
    }

    /// <summary>Reads a device's rights and judges it by them.</summary>
    async ValueTask<bool> Compile(ConnectedDevice device, CancellationToken cancel)
    {
        while (true)
        {
            var rights = await reader.Read(device.Principal, device.ClientId, cancel);
            if (rights is null)
            {
                device.Revoke();
                return false;
            }
            var allowed = device.Take(rights);
            // Bound to a thing of another name, and of a type: their changes concern it too, those made just now included.
            var live = sessions[device.Principal.Account];
            var isNew = rights.ThingName is { } thing && live.Add(ThingKey(thing), device);
            isNew |= rights.ThingTypeName is { } type && live.Add(TypeKey(type), device);
            if (!allowed || !isNew)
                return allowed;
        }
    }
}

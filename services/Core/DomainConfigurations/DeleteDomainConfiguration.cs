using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>
/// Deletes a configuration that is DISABLED, and has been for seven days where the name is under the platform's ("Deleting domain
/// configurations").
/// </summary>
[Operation<Iot>("DELETE /domainConfigurations/{domainConfigurationName}")]
sealed class DeleteDomainConfiguration(IStore store, RegistryChanges changes, TimeProvider clock) : Operation<DeleteDomainConfigurationRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteDomainConfigurationRequest request, Caller caller) =>
        new("iot:DeleteDomainConfiguration", DomainConfiguration.ArnOf(request.DomainConfigurationName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteDomainConfigurationRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await DomainConfiguration.Require(store, caller.Account, request.DomainConfigurationName, cancel);
        var configuration = row.Value;
        if (configuration.Enabled)
            throw Refuse.InvalidRequest($"Domain configuration '{configuration.Name}' is ENABLED. Disable it with UpdateDomainConfiguration first.");
        var free = configuration.LastStatusChangeAt + DomainConfiguration.DisabledBeforeDeletion;
        if (!configuration.IsCustom && clock.GetUtcNow() < free)
            throw Refuse.InvalidRequest($"AWS-managed domain configurations must be DISABLED for 7 days before deletion: '{configuration.Name}' can be deleted at {free:u}.");
        var batch = new Batch()
            .Delete(DomainConfiguration.Table, row)
            .Delete(DomainOwner.Table, AccountId.Platform, configuration.DomainName);
        TagStore.Forget(batch, caller.Account, configuration.TagKey);
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.DomainConfiguration, RegistryVerb.Deleted, caller.Account, configuration.Name) { Detail = configuration });
        return EmptyResponse.Instance;
    }
}

sealed record DeleteDomainConfigurationRequest
{
    [Label, Length(1, 128), Pattern(@"[\w.-]+")]
    public required string DomainConfigurationName { get; init; }
}

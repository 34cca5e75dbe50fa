using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

/// <summary>What several operations ask of billing groups.</summary>
sealed class BillingGroupStore(IStore store)
{
    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "billinggroup/" + name);

    /// <summary>What the group's tags are kept under.</summary>
    public static string TagKey(string name) => "iot:billinggroup/" + name;

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<BillingGroup>> Require(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(BillingGroup.Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"Billing group {name} is not found. ListBillingGroups shows those there are.");

    /// <summary>Adds to a batch that puts a thing into the group the condition that the group stays.</summary>
    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask Use(Batch batch, AccountId account, string name, CancellationToken cancel)
    {
        var row = await Require(account, name, cancel);
        if (row.Value.Deleting)
            batch.Replace(BillingGroup.Table, row, row.Value with { Deleting = false });
        else
            batch.Require(BillingGroup.Table, row);
    }
}

using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>The two rows of a pending transfer, and what ends it.</summary>
sealed class CertificateTransfers(IStore store, CertificateStore certificates)
{
    /// <summary>The receiver's row and the owner's.</summary>
    /// <exception cref="Api.ServiceException">ResourceNotFoundException, or TransferAlreadyCompletedException when the certificate is there but no longer on its way.</exception>
    public async ValueTask<(Row<Certificate> Incoming, Row<Certificate> Offered)> RequireIncoming(
        AccountId receiver, string certificateId, CancellationToken cancel)
    {
        var incoming = await certificates.Require(receiver, certificateId, cancel);
        if (incoming.Value.PendingFrom is not { } owner)
            throw Refuse.TransferAlreadyCompleted($"Certificate {incoming.Value.Id} has no pending transfer to this account.");
        return (incoming, await certificates.Require(owner, certificateId, cancel));
    }

    /// <summary>Gives the certificate back to its owner, INACTIVE, and takes the receiver's row away.</summary>
    public async ValueTask GiveBack(Row<Certificate> incoming, Row<Certificate> offered, CertificateTransfer? transfer, CancellationToken cancel)
    {
        var kept = certificates.Touch(offered.Value) with { Status = CertificateStatus.INACTIVE, Transfer = transfer };
        await store.Commit(new Batch().Replace(Certificate.Table, offered, kept).Delete(Certificate.Table, incoming), cancel);
        certificates.Tell(RegistryVerb.Updated, kept);
        certificates.Tell(RegistryVerb.Deleted, incoming.Value);
    }
}

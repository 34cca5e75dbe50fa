using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CaCertificates;

/// <summary>Forgets the registration code; the next GetRegistrationCode makes another.</summary>
[Operation<Iot>("DELETE /registrationcode")]
sealed class DeleteRegistrationCode(IStore store) : Operation<DeleteRegistrationCodeRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteRegistrationCodeRequest request, Caller caller) => new("iot:DeleteRegistrationCode");

    protected override async ValueTask<EmptyResponse> Run(DeleteRegistrationCodeRequest request, Caller caller, CancellationToken cancel)
    {
        var code = await store.Get(RegistrationCode.Table, caller.Account, RegistrationCode.Key, cancel)
            ?? throw Refuse.ResourceNotFound("The account has no registration code. GetRegistrationCode makes one.");
        await store.Commit(new Batch().Delete(RegistrationCode.Table, code), cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteRegistrationCodeRequest;

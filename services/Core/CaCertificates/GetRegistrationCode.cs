using System.Security.Cryptography;
using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CaCertificates;

/// <summary>The account's registration code, made when it is first asked for.</summary>
[Operation<Iot>("GET /registrationcode")]
sealed class GetRegistrationCode(IStore store) : Operation<GetRegistrationCodeRequest, GetRegistrationCodeResponse>
{
    protected override Permission Needs(GetRegistrationCodeRequest request, Caller caller) => new("iot:GetRegistrationCode");

    protected override async ValueTask<GetRegistrationCodeResponse> Run(GetRegistrationCodeRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(RegistrationCode.Table, caller.Account, RegistrationCode.Key, cancel) is { } existing)
            return new() { RegistrationCode = existing.Value.Code };
        var code = new RegistrationCode { Account = caller.Account, Code = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) };
        await store.Commit(new Batch().Add(RegistrationCode.Table, code), cancel);
        return new() { RegistrationCode = code.Code };
    }
}

sealed record GetRegistrationCodeRequest;

sealed record GetRegistrationCodeResponse
{
    public string? RegistrationCode { get; init; }
}

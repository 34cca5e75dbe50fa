using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CaCertificates;

[Operation<Iot>("PUT /cacertificate/{caCertificateId}")]
sealed class UpdateCACertificate(IStore store, CaStore authorities) : Operation<UpdateCACertificateRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateCACertificateRequest request, Caller caller) =>
        new("iot:UpdateCACertificate", CaStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override void Check(UpdateCACertificateRequest request)
    {
        RegistrationConfig.Check(request.RegistrationConfig);
        if (request is { RemoveAutoRegistration: true, RegistrationConfig: not null })
            throw Refuse.InvalidRequest("'removeAutoRegistration' and 'registrationConfig' exclude each other.");
    }

    protected override async ValueTask<EmptyResponse> Run(UpdateCACertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await authorities.Require(caller.Account, request.CertificateId, cancel);
        var ca = row.Value;
        var changed = authorities.Touch(ca) with
        {
            Active = request.NewStatus is { } status ? status == "ACTIVE" : ca.Active,
            AutoRegistration = request.NewAutoRegistrationStatus is { } auto ? auto == "ENABLE" : ca.AutoRegistration,
            RegistrationConfig = request.RemoveAutoRegistration is true ? null : request.RegistrationConfig ?? ca.RegistrationConfig,
        };
        await store.Commit(new Batch().Replace(CaCertificate.Table, row, changed), cancel);
        authorities.Tell(RegistryVerb.Updated, changed);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateCACertificateRequest
{
    [Label("caCertificateId"), Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
    [Query, OneOf("ACTIVE", "INACTIVE")]
    public string? NewStatus { get; init; }
    [Query, OneOf("ENABLE", "DISABLE")]
    public string? NewAutoRegistrationStatus { get; init; }
    public RegistrationConfig? RegistrationConfig { get; init; }
    public bool? RemoveAutoRegistration { get; init; }
}

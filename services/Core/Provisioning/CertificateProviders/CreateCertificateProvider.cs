using Althing.Api;
using Althing.Core.CustomAuthorizers;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning;

/// <summary>From now on a function of the account's own issues certificates for signing requests.</summary>
[Operation<Iot>("POST /certificate-providers/{certificateProviderName}")]
sealed class CreateCertificateProvider(IStore store, TagStore tags, TimeProvider clock)
    : Operation<CreateCertificateProviderRequest, CreateCertificateProviderResponse>
{
    protected override Permission Needs(CreateCertificateProviderRequest request, Caller caller) =>
        new("iot:CreateCertificateProvider", CertificateProvider.Arn(request.CertificateProviderName, caller));

    protected override void Check(CreateCertificateProviderRequest request) => FunctionAddress.Check(request.LambdaFunctionArn, "lambdaFunctionArn");

    protected override async ValueTask<CreateCertificateProviderResponse> Run(CreateCertificateProviderRequest request, Caller caller, CancellationToken cancel)
    {
        var arn = CertificateProvider.Arn(request.CertificateProviderName, caller);
        if (await store.Get(CertificateProvider.Table, caller.Account, request.CertificateProviderName, cancel) is not null)
            throw Refuse.ResourceAlreadyExists($"There is a certificate provider '{request.CertificateProviderName}' already.", request.CertificateProviderName, arn);
        if (await store.Count(CertificateProvider.Table, caller.Account, Scan.All, cancel) >= CertificateProvider.PerAccountMax)
            throw Refuse.LimitExceeded("The account has a certificate provider already. Delete it first, or change it by UpdateCertificateProvider.");
        var now = clock.GetUtcNow();
        var provider = new CertificateProvider
        {
            Account = caller.Account,
            Name = request.CertificateProviderName,
            Function = request.LambdaFunctionArn,
            Operations = request.AccountDefaultForOperations,
            CreatedAt = now,
            LastModifiedAt = now,
        };
        var batch = new Batch().Add(CertificateProvider.Table, provider);
        await tags.AddTags(batch, caller.Account, CertificateProvider.TagKey(provider.Name), request.Tags, cancel);
        await store.Commit(batch, cancel);
        return new() { CertificateProviderName = provider.Name, CertificateProviderArn = arn };
    }
}

sealed record CreateCertificateProviderRequest
{
    [Label, Length(1, 128), Pattern(@"[\w=,@-]+")]
    public required string CertificateProviderName { get; init; }
    [Length(0, 2048), Pattern(@"[\s\S]*")]
    public required string LambdaFunctionArn { get; init; }
    [Length(1, 1), OneOf("CreateCertificateFromCsr")]
    public required IReadOnlyList<string> AccountDefaultForOperations { get; init; }
    [IdempotencyToken, Length(36, 64), Pattern(@"\S{36,64}")]
    public string? ClientToken { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record CreateCertificateProviderResponse
{
    public string? CertificateProviderName { get; init; }
    public string? CertificateProviderArn { get; init; }
}

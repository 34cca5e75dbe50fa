using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Althing.Core.Certificates;
using Althing.Core.CustomAuthorizers;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Provisioning;

/// <summary>Issues certificates for signing requests: the account's certificate provider does, or the platform's own authority.</summary>
sealed class DeviceIssuer(IStore store, PlatformPki pki, AuthorizerFunctions functions)
{
    /// <param name="member">What the caller knows the request as.</param>
    /// <param name="principalId">Who asks: a certificate's id or a caller's.</param>
    /// <param name="clientId">The MQTT client that asks; null for calls of the API.</param>
    /// <exception cref="Api.ServiceException">InvalidRequestException: the request is not accepted, or the provider failed.</exception>
    public async ValueTask<X509Certificate2> Issue(AccountId account, string request, string member, string principalId, string? clientId, CancellationToken cancel)
    {
        var providers = await store.Scan(CertificateProvider.Table, account, Scan.All with { Limit = 1 }, cancel);
        if (providers is [{ Value: { } provider }])
            return await Ask(provider, request, member, principalId, clientId, cancel);
        try
        {
            return pki.IssueDevice(request);
        }
        catch (CryptographicException refusal)
        {
            throw Refuse.InvalidRequest($"'{member}' is not accepted: {refusal.Message}");
        }
    }

    async ValueTask<X509Certificate2> Ask(CertificateProvider provider, string request, string member, string principalId, string? clientId, CancellationToken cancel)
    {
        var wanted = Read(request, member);
        var question = JsonSerializer.SerializeToUtf8Bytes(new { certificateSigningRequest = request, principalId, clientId });
        try
        {
            var answer = JsonDocument.Parse(await functions.Invoke(provider.Function, question, cancel)).RootElement;
            if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("certificatePem", out var pem) || pem.ValueKind != JsonValueKind.String)
                throw new AuthorizerFailure("its answer has no 'certificatePem'.");
            var issued = X509.Parse(pem.GetString()!, "certificatePem");
            if (issued.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(wanted))
                return issued;
            issued.Dispose();
            throw new AuthorizerFailure("its certificate is for another key than the request's.");
        }
        catch (Exception failure) when (failure is AuthorizerFailure or JsonException or Api.ServiceException)
        {
            throw Refuse.InvalidRequest($"The certificate provider '{provider.Name}' did not issue a certificate: {failure.Message}");
        }
    }

    static byte[] Read(string request, string member)
    {
        try
        {
            return CertificateRequest.LoadSigningRequestPem(request, HashAlgorithmName.SHA256, signerSignaturePadding: RSASignaturePadding.Pkcs1)
                .PublicKey.ExportSubjectPublicKeyInfo();
        }
        catch (Exception failure) when (failure is ArgumentException or CryptographicException)
        {
            throw Refuse.InvalidRequest($"'{member}' is not a PEM certificate signing request with a valid signature.");
        }
    }
}

using System.Text.Json;
using Althing.Core.CustomAuthorizers;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Provisioning.Fleet;

/// <summary>Asks a template's hook whether a device may be provisioned ("Pre-provisioning hooks").</summary>
sealed class PreProvisioning(AuthorizerFunctions functions, ILogger<PreProvisioning> logger)
{
    /// <summary>The parameters with what the hook changes of them.</summary>
    /// <exception cref="FleetRefusal">AccessDenied: the hook refuses, or it failed.</exception>
    public async ValueTask<IReadOnlyDictionary<string, string>> Ask(string target, HookEvent about, CancellationToken cancel)
    {
        try
        {
            return Judge(await functions.Invoke(target, JsonSerializer.SerializeToUtf8Bytes(about, JsonSerializerOptions.Web), cancel), about);
        }
        catch (Exception failure) when (failure is AuthorizerFailure or JsonException)
        {
            logger.LogWarning("The pre-provisioning hook of {Template} failed for the certificate {CertificateId}: {Why}", about.TemplateArn, about.CertificateId, failure.Message);
            throw FleetRefusal.AccessDenied("The pre-provisioning hook did not allow the provisioning.");
        }
    }

    static Dictionary<string, string> Judge(byte[] answer, HookEvent about)
    {
        using var document = JsonDocument.Parse(answer);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("allowProvisioning", out var allowed) || allowed.ValueKind != JsonValueKind.True)
            throw FleetRefusal.AccessDenied("The pre-provisioning hook did not allow the provisioning.");
        var parameters = new Dictionary<string, string>(about.Parameters, StringComparer.Ordinal);
        if (root.TryGetProperty("parameterOverrides", out var overrides) && overrides.ValueKind != JsonValueKind.Null)
        {
            if (overrides.ValueKind != JsonValueKind.Object || overrides.EnumerateObject().Any(o => o.Value.ValueKind != JsonValueKind.String))
                throw new AuthorizerFailure("'parameterOverrides' is no object of texts.");
            foreach (var one in overrides.EnumerateObject())
                parameters[one.Name] = one.Value.GetString()!;
        }
        return parameters;
    }
}

/// <summary>What a hook is told.</summary>
/// <param name="ClaimCertificateId">The certificate that the device came with.</param>
sealed record HookEvent(
    string? ClaimCertificateId, string CertificateId, string CertificatePem, string TemplateArn, string ClientId, IReadOnlyDictionary<string, string> Parameters);

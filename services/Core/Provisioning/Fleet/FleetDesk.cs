using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Broker;
using Althing.Core.Certificates;
using Althing.Core.Provisioning.Templates;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Provisioning.Fleet;

/// <summary>Carries out what devices ask for on the provisioning topics ("Device provisioning MQTT API").</summary>
sealed class FleetDesk(
    IStore store, CertificateStore certificates, PlatformPki pki, DeviceIssuer issuer, Provisioner provisioner, PreProvisioning hooks, TimeProvider clock)
    : IDisposable
{
    const int ParameterCharactersMax = 4096;

    /// <summary>Requests that may wait for a certificate; making a key takes a processor a tenth of a second.</summary>
    const int WaitingMax = 256;

    /// <summary>Keys made at once: devices that come into being must not take all processors from those that are there.</summary>
    readonly SemaphoreSlim makers = new(Math.Max(1, Environment.ProcessorCount / 2));
    int waiting;

    /// <summary>A certificate and its key.</summary>
    public async Task<JsonObject> Create(Caller caller)
    {
        var (issued, privateKey, _) = await Limited(() => Task.Run(pki.IssueDevice));
        using var disposed = issued;
        var (certificate, token) = await Keep(issued, caller);
        return new()
        {
            ["certificateId"] = certificate.Id,
            ["certificatePem"] = certificate.Pem,
            ["privateKey"] = privateKey,
            ["certificateOwnershipToken"] = token,
        };
    }

    /// <summary>A certificate for a key that the device has.</summary>
    public async Task<JsonObject> CreateFromCsr(Caller caller, string clientId, JsonObject request)
    {
        if (Text(request, "certificateSigningRequest") is not { Length: > 0 } csr)
            throw FleetRefusal.InvalidPayload("'certificateSigningRequest' is missing.");
        using var issued = await Limited(async () =>
        {
            try
            {
                return await issuer.Issue(caller.Account, csr, "certificateSigningRequest", caller.UserId, clientId, CancellationToken.None);
            }
            catch (ServiceException refusal)
            {
                throw FleetRefusal.InvalidCsr(refusal.Message);
            }
        });
        var (certificate, token) = await Keep(issued, caller);
        return new() { ["certificateId"] = certificate.Id, ["certificatePem"] = certificate.Pem, ["certificateOwnershipToken"] = token };
    }

    async Task<T> Limited<T>(Func<Task<T>> make)
    {
        try
        {
            if (Interlocked.Increment(ref waiting) > WaitingMax)
                throw FleetRefusal.TooMany();
            await makers.WaitAsync();
            try
            {
                return await make();
            }
            finally
            {
                makers.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    async Task<(Certificate, string Token)> Keep(X509Certificate2 issued, Caller caller)
    {
        var certificate = certificates.Describe(issued, caller, CertificateStatus.PENDING_ACTIVATION);
        var token = OwnershipToken.New();
        var kept = new OwnershipToken
        {
            Account = caller.Account,
            Hash = OwnershipToken.HashOf(token),
            CertificateId = certificate.Id,
            Principal = caller.Arn,
            ExpiresAt = clock.GetUtcNow() + OwnershipToken.Lifetime,
        };
        await certificates.Register(new Batch().Add(OwnershipToken.Table, kept), certificate, caller, CancellationToken.None);
        return (certificate, token);
    }

    /// <summary>Provisions the certificate that the token stands for.</summary>
    public async Task<JsonObject> Provision(Caller caller, string clientId, string templateName, JsonObject request)
    {
        var (token, parameters) = Read(request);
        if (await store.Get(ProvisioningTemplate.Table, caller.Account, templateName, CancellationToken.None) is not { Value: { Type: ProvisioningTemplate.Fleet } template })
            throw FleetRefusal.ResourceNotFound($"There is no fleet provisioning template '{templateName}'.");
        if (!template.Enabled)
            throw FleetRefusal.AccessDenied($"The provisioning template '{templateName}' is not enabled.");
        var use = OwnershipToken.NameOf(templateName, parameters);
        var kept = (await Find(caller, token)).Value;
        if (kept.UsedFor is not null)
            return kept.UsedFor == use ? JsonNode.Parse(kept.Answer!)!.AsObject() : throw FleetRefusal.InvalidToken();
        if (await store.Get(Certificate.Table, caller.Account, kept.CertificateId, CancellationToken.None) is not { Value: var certificate })
            throw FleetRefusal.InvalidToken();
        if (template.PreProvisioningHook is { } hook)
        {
            var claim = caller.Arn.Contains(":cert/", StringComparison.Ordinal) ? caller.UserId : null;
            parameters = await hooks.Ask(hook.TargetArn,
                new(claim, certificate.Id, certificate.Pem, ProvisioningTemplate.Arn(templateName, caller), clientId, parameters), CancellationToken.None);
        }
        var plan = Plan(template, parameters, certificate);
        var answer = new JsonObject { ["deviceConfiguration"] = plan.DeviceConfiguration.DeepClone(), ["thingName"] = plan.Thing?.Name };
        await Make(caller, plan, token, use, answer);
        return answer;
    }

    async Task Make(Caller caller, ProvisioningPlan plan, string token, string use, JsonObject answer)
    {
        try
        {
            // The token is used up with the very write that makes the resources: of two requests at once one finds it used.
            await provisioner.Provision(caller, plan, async () =>
            {
                var row = await Find(caller, token);
                return row.Value.UsedFor is null
                    ? new Batch().Replace(OwnershipToken.Table, row, row.Value with { UsedFor = use, Answer = answer.ToJsonString() })
                    : throw FleetRefusal.InvalidToken();
            }, CancellationToken.None);
        }
        catch (ServiceException refusal)
        {
            throw refusal.Code switch
            {
                "ConflictingResourceUpdateException" => FleetRefusal.Conflict(refusal.Message),
                _ when refusal.Message.StartsWith("ResourceConflictsException", StringComparison.Ordinal) => FleetRefusal.Conflict(refusal.Message),
                _ => FleetRefusal.InvalidParameters(refusal.Message),
            };
        }
    }

    static ProvisioningPlan Plan(ProvisioningTemplate template, IReadOnlyDictionary<string, string> parameters, Certificate certificate)
    {
        try
        {
            var values = new Dictionary<string, string>(parameters, StringComparer.Ordinal);
            foreach (var (name, value) in CertificateValues.Of(certificate))
                values[name] = value;
            var plan = ProvisioningPlan.Of(ProvisioningText.Read(template.Default.Body, TemplateUse.Fleet), values);
            return plan.Certificate?.Id == certificate.Id
                ? plan
                : throw FleetRefusal.InvalidParameters("The template's CertificateId is not that of the certificate that the token stands for.");
        }
        catch (TemplateFault fault)
        {
            throw FleetRefusal.InvalidParameters(fault.Message);
        }
    }

    /// <exception cref="FleetRefusal">There is no such token, it has expired, or it is somebody else's.</exception>
    async ValueTask<Row<OwnershipToken>> Find(Caller caller, string token)
    {
        var row = await store.Get(OwnershipToken.Table, caller.Account, OwnershipToken.HashOf(token), CancellationToken.None);
        return row is { } found && found.Value.Principal == caller.Arn && found.Value.ExpiresAt > clock.GetUtcNow() ? found : throw FleetRefusal.InvalidToken();
    }

    static (string Token, IReadOnlyDictionary<string, string> Parameters) Read(JsonObject request)
    {
        if (Text(request, "certificateOwnershipToken") is not { Length: > 0 } token)
            throw FleetRefusal.InvalidPayload("'certificateOwnershipToken' is missing.");
        Dictionary<string, string> parameters = new(StringComparer.Ordinal);
        if (request["parameters"] is { } given)
        {
            foreach (var (name, _) in given as JsonObject ?? throw FleetRefusal.InvalidPayload("'parameters' is no object."))
            {
                // What the platform itself knows of the certificate is not the device's to say.
                if (name.StartsWith("AWS::", StringComparison.Ordinal))
                    throw FleetRefusal.InvalidParameters($"The parameter '{name}' cannot be given.");
                parameters[name] = Text((JsonObject)given, name) is { Length: <= ParameterCharactersMax } value
                    ? value
                    : throw FleetRefusal.InvalidPayload($"The parameter '{name}' is no text of at most {ParameterCharactersMax} characters.");
            }
        }
        return (token, parameters);
    }

    static string? Text(JsonObject members, string name) =>
        members[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    public void Dispose() => makers.Dispose();
}

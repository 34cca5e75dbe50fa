using Althing.Api;
using Althing.Core.CaCertificates;
using Althing.Core.Certificates;
using Althing.Core.Provisioning.Templates;
using Althing.Identity;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Provisioning;

/// <summary>Provisions devices that were never heard of, by the template of the CA that signed their certificates ("Just-in-time provisioning").</summary>
sealed class JustInTime(IStore store, Provisioner provisioner, ILogger<JustInTime> logger)
{
    /// <summary>The CA, in whose name its devices' resources are made.</summary>
    public static Caller CallerOf(CaCertificate ca) => new()
    {
        Account = ca.Account,
        Arn = $"arn:aws:iot:{ca.Region}:{ca.Account}:cacert/{ca.Id}",
        UserId = ca.Id,
        Kind = CallerKind.Certificate,
        Region = ca.Region,
    };

    /// <summary>Makes what the CA's template asks for; without effect when it has none. What fails is logged: there is nobody to tell.</summary>
    public async ValueTask Provision(CaCertificate ca, Certificate pending, CancellationToken cancel)
    {
        try
        {
            if (await BodyOf(ca, cancel) is not { } body)
                return;
            var plan = ProvisioningPlan.Of(ProvisioningText.Read(body, TemplateUse.JustInTime), CertificateValues.Of(pending));
            if (plan.Certificate?.Id != pending.Id)
                throw new TemplateFault("The template's CertificateId is not that of the certificate that connects.");
            await provisioner.Provision(CallerOf(ca), plan, null, cancel);
        }
        catch (Exception failure) when (failure is TemplateFault or ServiceException)
        {
            logger.LogWarning("The device with the certificate {CertificateId} was not provisioned by the template of its CA {CaCertificateId}: {Why}", pending.Id, ca.Id, failure.Message);
        }
    }

    async ValueTask<string?> BodyOf(CaCertificate ca, CancellationToken cancel)
    {
        if (ca.RegistrationConfig is not { } config)
            return null;
        if (config.TemplateName is not { } name)
            return config.TemplateBody;
        if ((await store.Get(ProvisioningTemplate.Table, ca.Account, name, cancel))?.Value is not { Type: ProvisioningTemplate.JustInTime } template)
            throw new TemplateFault($"There is no provisioning template '{name}' of type JITP.");
        return template.Enabled ? template.Default.Body : throw new TemplateFault($"The template '{name}' is not enabled.");
    }
}

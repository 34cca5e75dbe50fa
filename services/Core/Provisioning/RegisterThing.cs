using Althing.Api;
using Althing.Core.Provisioning.Templates;
using Althing.Identity;

namespace Althing.Core.Provisioning;

/// <summary>Makes a thing, its certificate and its policies from a template, all or nothing. The same request again changes nothing.</summary>
[Operation<Iot>("POST /things")]
sealed class RegisterThing(Provisioner provisioner) : Operation<RegisterThingRequest, RegisterThingResponse>
{
    protected override Permission Needs(RegisterThingRequest request, Caller caller) => new("iot:RegisterThing");

    protected override async ValueTask<RegisterThingResponse> Run(RegisterThingRequest request, Caller caller, CancellationToken cancel)
    {
        var plan = PlanOf(request);
        var made = await provisioner.Provision(caller, plan, null, cancel);
        return new() { CertificatePem = made.CertificatePem, ResourceArns = made.ResourceArns };
    }

    static ProvisioningPlan PlanOf(RegisterThingRequest request)
    {
        try
        {
            return ProvisioningPlan.Of(ProvisioningText.Read(request.TemplateBody, TemplateUse.Registration), request.Parameters ?? new Dictionary<string, string>());
        }
        catch (TemplateFault fault)
        {
            throw Refuse.InvalidRequest(fault.Message);
        }
    }
}

sealed record RegisterThingRequest
{
    [Length(0, 10240), Pattern(@"[\s\S]*")]
    public required string TemplateBody { get; init; }
    [Each(KeyLengthMax = 2048, KeyPattern = @"[\s\S]*", LengthMax = 4096, Pattern = @"[\s\S]*")]
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }
}

sealed record RegisterThingResponse
{
    public string? CertificatePem { get; init; }
    public IReadOnlyDictionary<string, string>? ResourceArns { get; init; }
}

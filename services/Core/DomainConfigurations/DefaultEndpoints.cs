using Althing.Core.Endpoints;
using Althing.Identity;

namespace Althing.Core.DomainConfigurations;

/// <summary>The endpoints that every account has, which listings show as domain configurations of their own.</summary>
sealed class DefaultEndpoints(EndpointOptions options)
{
    public IReadOnlyList<DefaultEndpoint> All(Caller caller) =>
    [
        new("iot:CredentialProvider", "CREDENTIAL_PROVIDER", options.Of(options.CredentialProviderAddress, caller.Account)),
        new("iot:Data-ATS", "DATA", options.Of(options.DataAddress, caller.Account)),
        new("iot:Jobs", "JOBS", options.Of(options.JobsAddress, caller.Account)),
    ];
}

sealed record DefaultEndpoint(string Name, string ServiceType, string Address)
{
    public string Arn(Caller caller) => caller.ArnOf("iot", "domainconfiguration/" + Name);

    public string DomainName => Address.Split(':')[0];
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Endpoints;

/// <summary>Where devices and their software connect: a host name, with a port where it is not the usual one.</summary>
[Operation<Iot>("GET /endpoint")]
sealed class DescribeEndpoint(EndpointOptions options) : Operation<DescribeEndpointRequest, DescribeEndpointResponse>
{
    protected override Permission Needs(DescribeEndpointRequest request, Caller caller) => new("iot:DescribeEndpoint");

    protected override ValueTask<DescribeEndpointResponse> Run(DescribeEndpointRequest request, Caller caller, CancellationToken cancel)
    {
        var address = request.EndpointType switch
        {
            // The two differ in the CA of the server certificate at AWS; here there is one.
            null or "iot:Data" or "iot:Data-ATS" or "iot:Data-Beta" => options.DataAddress,
            "iot:CredentialProvider" => options.CredentialProviderAddress,
            "iot:Jobs" => options.JobsAddress,
            _ => throw Refuse.InvalidRequest(
                $"'{request.EndpointType}' is not an endpoint type of this platform: iot:Data, iot:Data-ATS, iot:CredentialProvider and iot:Jobs are."),
        };
        return new(new DescribeEndpointResponse { EndpointAddress = options.Of(address, caller.Account) });
    }
}

sealed record DescribeEndpointRequest
{
    [Query, Length(0, 128), Pattern(@"[\s\S]*")]
    public string? EndpointType { get; init; }
}

sealed record DescribeEndpointResponse
{
    public string? EndpointAddress { get; init; }
}

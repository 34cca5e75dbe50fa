using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Althing.Api.Protocols;

/// <summary>How one family of APIs puts requests, responses and refusals on the wire.</summary>
abstract class Protocol
{
    public static Protocol Of(AwsApi api) => api.Protocol switch
    {
        WireProtocol.RestJson => RestJson.Instance,
        WireProtocol.AwsQuery => AwsQuery.Instance,
        WireProtocol.RestXml => RestXml.Instance,
        _ => AwsJson.Instance,
    };

    /// <summary>All members of the request under their JSON names.</summary>
    public abstract JsonObject Read(OperationInfo operation, HttpRequest request, ReadOnlySpan<byte> body);

    public abstract Task Write(OperationInfo operation, object response, HttpResponse http, CancellationToken cancel);

    public abstract Task WriteRefusal(ServiceException refusal, AwsApi? api, string requestId, HttpResponse http, CancellationToken cancel);

    private protected static async Task WriteBytes(HttpResponse http, int status, string contentType, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        http.StatusCode = status;
        http.ContentType = contentType;
        http.ContentLength = body.Length;
        await http.Body.WriteAsync(body, cancel);
    }

    private protected static byte[] RefusalBody(ServiceException refusal, bool withType)
    {
        JsonObject body = withType ? new() { ["__type"] = refusal.Code } : [];
        body["message"] = refusal.Message;
        foreach (var (name, value) in refusal.Fields)
        {
            if (value is not null)
                body[name] = value;
        }
        return JsonSerializer.SerializeToUtf8Bytes(body, WireJson.AsDeclared);
    }
}

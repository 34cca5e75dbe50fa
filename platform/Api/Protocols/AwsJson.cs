using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Althing.Api.Protocols;

/// <summary>AWS JSON 1.0 and 1.1: everything in one JSON body, the operation in <c>X-Amz-Target</c>.</summary>
sealed class AwsJson : Protocol
{
    public static AwsJson Instance { get; } = new();

    static string ContentType(AwsApi? api) => api?.Protocol == WireProtocol.AwsJson10 ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1";

    public override JsonObject Read(OperationInfo operation, HttpRequest request, ReadOnlySpan<byte> body) => Binder.ParseBody(body, operation);

    public override Task Write(OperationInfo operation, object response, HttpResponse http, CancellationToken cancel) =>
        WriteBytes(http, operation.Status, ContentType(operation.Api), JsonSerializer.SerializeToUtf8Bytes(response, operation.ResponseType, operation.Api.Json), cancel);

    public override Task WriteRefusal(ServiceException refusal, AwsApi? api, string requestId, HttpResponse http, CancellationToken cancel) =>
        WriteBytes(http, refusal.Status, ContentType(api), RefusalBody(refusal, withType: true), cancel);
}

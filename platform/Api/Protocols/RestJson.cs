using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Althing.Api.Protocols;

/// <summary>REST-JSON: members in path, query, headers and a JSON body.</summary>
sealed class RestJson : Protocol
{
    public static RestJson Instance { get; } = new();

    public override JsonObject Read(OperationInfo operation, HttpRequest request, ReadOnlySpan<byte> body)
    {
        var payload = operation.RequestMembers.FirstOrDefault(m => m.Location is PayloadAttribute);
        var members = payload is null ? Binder.ParseBody(body, operation.Api) : [];
        if (payload is not null && body.Length > 0)
        {
            members[payload.JsonName] = payload.Property.PropertyType == typeof(byte[])
                ? Convert.ToBase64String(body)
                : Binder.ParseBody(body, operation.Api);
        }
        Dictionary<string, string>? labels = null;
        foreach (var member in operation.RequestMembers)
        {
            if (member.Location is null or PayloadAttribute)
                continue;
            // What the body says of a member that travels elsewhere does not count.
            members.Remove(member.JsonName);
            var values = member.Location switch
            {
                LabelAttribute => [(labels ??= RouteTable.Labels(operation, SigV4.SignedRequest.RawTarget(request).Path)).GetValueOrDefault(member.WireName)],
                QueryAttribute => request.Query[member.WireName].ToArray(),
                _ => request.Headers[member.WireName].ToArray(),
            };
            if (values is [not null, ..])
                members[member.JsonName] = Binder.FromText(member, values!);
        }
        return members;
    }

    public override async Task Write(OperationInfo operation, object response, HttpResponse http, CancellationToken cancel)
    {
        byte[]? raw = null;
        foreach (var member in operation.ResponseMembers)
        {
            if (member.Location is HeaderAttribute && member.Property.GetValue(response) is { } value)
                http.Headers[member.WireName] = Convert.ToString(value, CultureInfo.InvariantCulture);
            else if (member is { Location: PayloadAttribute } && member.Property.GetValue(response) is byte[] bytes)
                raw = bytes;
        }
        if (raw is not null)
        {
            await WriteBytes(http, operation.Status, "application/octet-stream", raw, cancel);
            return;
        }
        await WriteBytes(http, operation.Status, "application/json", Body(operation, response), cancel);
    }

    static byte[] Body(OperationInfo operation, object response)
    {
        if (operation.ResponseMembers.All(m => m.Location is null))
            return JsonSerializer.SerializeToUtf8Bytes(response, operation.ResponseType, operation.Api.Json);
        var body = JsonSerializer.SerializeToNode(response, operation.ResponseType, operation.Api.Json)!.AsObject();
        foreach (var member in operation.ResponseMembers.Where(m => m.Location is not null))
            body.Remove(member.JsonName);
        return JsonSerializer.SerializeToUtf8Bytes(body, operation.Api.Json);
    }

    public override Task WriteRefusal(ServiceException refusal, AwsApi api, string requestId, HttpResponse http, CancellationToken cancel)
    {
        http.Headers["x-amzn-ErrorType"] = refusal.Code;
        return WriteBytes(http, refusal.Status, "application/json", RefusalBody(refusal, withType: false), cancel);
    }
}

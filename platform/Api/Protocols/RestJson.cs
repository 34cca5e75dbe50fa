using System.Collections;
using System.Globalization;
using System.Text;
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
        var members = payload is null ? Binder.ParseBody(body, operation) : [];
        if (payload is not null && body.Length > 0)
            members[payload.JsonName] = ReadPayload(payload, operation, body);
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

    static JsonNode? ReadPayload(MemberInfo payload, OperationInfo operation, ReadOnlySpan<byte> body)
    {
        if (payload.Property.PropertyType == typeof(byte[]))
            return Convert.ToBase64String(body);
        if (payload.Property.PropertyType != typeof(string))
            return Binder.ParseBody(body, operation);
        return System.Text.Unicode.Utf8.IsValid(body) ? Encoding.UTF8.GetString(body) : throw operation.Invalid("The request body is not valid UTF-8.");
    }

    public override Task Write(OperationInfo operation, object response, HttpResponse http, CancellationToken cancel)
    {
        var status = operation.Status;
        MemberInfo? payload = null;
        foreach (var member in operation.ResponseMembers)
        {
            if (member.Location is null)
                continue;
            if (member.Location is PayloadAttribute)
                payload = member;
            else if (member.Property.GetValue(response) is not { } value)
                continue;
            else if (member.Location is StatusCodeAttribute)
                status = Convert.ToInt32(value, CultureInfo.InvariantCulture);
            else
                http.Headers[member.WireName] = HeaderText(value);
        }
        if (status is 204 or 304)
        {
            http.StatusCode = status;
            return Task.CompletedTask;
        }
        return payload is null
            ? WriteBytes(http, status, "application/json", Body(operation, response), cancel)
            : WritePayload(http, status, payload.Property.GetValue(response), operation, cancel);
    }

    static Task WritePayload(HttpResponse http, int status, object? payload, OperationInfo operation, CancellationToken cancel) => payload switch
    {
        // An operation that knows better what its bytes are says so in a header member.
        null => WriteBytes(http, status, http.ContentType ?? "application/octet-stream", default, cancel),
        byte[] bytes => WriteBytes(http, status, http.ContentType ?? "application/octet-stream", bytes, cancel),
        string text => WriteBytes(http, status, http.ContentType ?? "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text), cancel),
        _ => WriteBytes(http, status, "application/json", JsonSerializer.SerializeToUtf8Bytes(payload, payload.GetType(), operation.Api.Json), cancel),
    };

    /// <summary>Header values as Smithy writes them; a line break in one would be an injection.</summary>
    static string HeaderText(object value) => value switch
    {
        string text => text.ReplaceLineEndings(" "),
        bool truth => truth ? "true" : "false",
        DateTimeOffset time => time.ToString("R", CultureInfo.InvariantCulture),
        IEnumerable list => string.Join(", ", list.Cast<object>().Select(HeaderText)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    static byte[] Body(OperationInfo operation, object response)
    {
        if (operation.ResponseMembers.All(m => m.Location is null))
            return JsonSerializer.SerializeToUtf8Bytes(response, operation.ResponseType, operation.Api.Json);
        var body = JsonSerializer.SerializeToNode(response, operation.ResponseType, operation.Api.Json)!.AsObject();
        foreach (var member in operation.ResponseMembers.Where(m => m.Location is not null))
            body.Remove(member.JsonName);
        return JsonSerializer.SerializeToUtf8Bytes(body, operation.Api.Json);
    }

    public override Task WriteRefusal(ServiceException refusal, AwsApi? api, string requestId, HttpResponse http, CancellationToken cancel)
    {
        http.Headers["x-amzn-ErrorType"] = refusal.Code;
        return WriteBytes(http, refusal.Status, "application/json", RefusalBody(refusal, withType: false), cancel);
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Althing.Api.Protocols;

/// <summary>AWS Query: a form with Action and Version in, XML out. The oldest services (STS, IAM) speak it.</summary>
sealed class AwsQuery : Protocol
{
    public static AwsQuery Instance { get; } = new();

    /// <summary>The form as fields.</summary>
    public static Dictionary<string, Microsoft.Extensions.Primitives.StringValues> Form(HttpRequest request, ReadOnlySpan<byte> body) =>
        QueryHelpers.ParseQuery(HttpMethods.IsPost(request.Method) ? Encoding.UTF8.GetString(body) : request.QueryString.Value);

    public override JsonObject Read(OperationInfo operation, HttpRequest request, ReadOnlySpan<byte> body)
    {
        JsonObject members = [];
        foreach (var (name, value) in Form(request, body))
        {
            if (name is "Action" or "Version" || name.StartsWith("X-Amz-", StringComparison.Ordinal))
                continue;
            var parts = name.Split('.');
            // Name.member.N, and Name.member.N.Field for lists of structures.
            if (parts is [var list, "member", var number] && int.TryParse(number, CultureInfo.InvariantCulture, out _))
                ((JsonArray)(members[list] ??= new JsonArray())).Add(value.ToString());
            else if (parts is [var structures, "member", var at, var field] && int.TryParse(at, CultureInfo.InvariantCulture, out var index) && index is > 0 and <= 1000)
                Element((JsonArray)(members[structures] ??= new JsonArray()), index - 1)[field] = value.ToString();
            else if (operation.RequestMembers.FirstOrDefault(m => m.JsonName == name) is { } member)
                members[name] = Binder.FromText(member, [value.ToString()]);
        }
        return members;
    }

    static JsonObject Element(JsonArray list, int index)
    {
        while (list.Count <= index)
            list.Add(new JsonObject());
        return list[index]!.AsObject();
    }

    public override Task Write(OperationInfo operation, object response, HttpResponse http, CancellationToken cancel)
    {
        XNamespace ns = operation.Api.XmlNamespace!;
        var body = JsonSerializer.SerializeToNode(response, operation.ResponseType, operation.Api.Json)!.AsObject();
        var root = new XElement(ns + $"{operation.Name}Response");
        if (operation.ResponseType != typeof(EmptyResponse))
            root.Add(new XElement(ns + $"{operation.Name}Result", body.SelectMany(m => Elements(ns, m.Key, m.Value))));
        root.Add(new XElement(ns + "ResponseMetadata", new XElement(ns + "RequestId", http.Headers["x-amzn-RequestId"].ToString())));
        return WriteBytes(http, operation.Status, "text/xml", Encoding.UTF8.GetBytes(root.ToString(SaveOptions.DisableFormatting)), cancel);
    }

    static IEnumerable<XElement> Elements(XNamespace ns, string name, JsonNode? value) => value switch
    {
        null => [],
        JsonObject record => [new XElement(ns + name, record.SelectMany(m => Elements(ns, m.Key, m.Value)))],
        JsonArray list => [new XElement(ns + name, list.SelectMany(item => Elements(ns, "member", item)))],
        _ => [new XElement(ns + name, value.ToString())],
    };

    public override Task WriteRefusal(ServiceException refusal, AwsApi api, string requestId, HttpResponse http, CancellationToken cancel)
    {
        XNamespace ns = api.XmlNamespace!;
        var root = new XElement(ns + "ErrorResponse",
            new XElement(ns + "Error",
                new XElement(ns + "Type", refusal.Status >= 500 ? "Receiver" : "Sender"),
                new XElement(ns + "Code", CodeOf(refusal.Code)),
                new XElement(ns + "Message", refusal.Message)),
            new XElement(ns + "RequestId", requestId));
        return WriteBytes(http, refusal.Status, "text/xml", Encoding.UTF8.GetBytes(root.ToString(SaveOptions.DisableFormatting)), cancel);
    }

    /// <summary>The old services have names of their own for what the door refuses.</summary>
    static string CodeOf(string code) => code switch
    {
        "AccessDeniedException" => "AccessDenied",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "IncompleteSignatureException" => "IncompleteSignature",
        "ExpiredTokenException" => "ExpiredToken",
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "ThrottlingException" => "Throttling",
        "InternalFailureException" => "InternalFailure",
        "UnknownOperationException" => "InvalidAction",
        _ => code,
    };
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Althing.Api.Protocols;

/// <summary>AWS Query: a form with Action and Version in, XML out. The oldest services (STS, IAM) speak it.</summary>
sealed class AwsQuery : Protocol
{
    const int ListItemsMax = 1000;

    public static AwsQuery Instance { get; } = new();

    /// <summary>The form as fields: the body of a POST, the query string of a GET. Of a field given twice, the first counts.</summary>
    public static Dictionary<string, string> Form(string method, string rawQuery, ReadOnlySpan<byte> body)
    {
        var text = HttpMethods.IsPost(method) && body.Length > 0 ? Encoding.UTF8.GetString(body) : rawQuery;
        return QueryHelpers.ParseQuery(text).ToDictionary(f => f.Key, f => f.Value[0] ?? "", StringComparer.Ordinal);
    }

    /// <summary>The operation that a form names, if its version is the one served.</summary>
    public static OperationInfo? Find(OperationCatalog catalog, AwsApi api, Dictionary<string, string> form) =>
        form.TryGetValue("Version", out var version) && version != api.QueryVersion ? null : catalog.Find(api.Name, form.GetValueOrDefault("Action") ?? "");

    public override JsonObject Read(OperationInfo operation, HttpRequest request, ReadOnlySpan<byte> body)
    {
        JsonObject members = [];
        foreach (var (name, value) in Form(request.Method, SigV4.SignedRequest.RawTarget(request).Query, body).OrderBy(f => Order(f.Key)))
        {
            var parts = name.Split('.');
            if (operation.RequestMembers.FirstOrDefault(m => m.JsonName == parts[0]) is not { } member)
                continue;
            // Name.member.N for lists of values, Name.member.N.Field for lists of structures, Name.Field for a structure.
            if (parts.Length == 1)
                members[name] = Binder.FromText(member, [value]);
            else if (parts is [_, "member", _])
                List(members, parts[0])?.Add(value);
            else if (parts is [_, "member", var at, var field] && Element(List(members, parts[0]), at) is { } element)
                element[field] = value;
            else if (parts is [_, var inner] && (members[parts[0]] ??= new JsonObject()) is JsonObject record)
                record[inner] = value;
            else
                throw operation.Invalid($"The parameter '{name}' is not well formed.");
        }
        return members;
    }

    /// <summary>Items of lists arrive in any order; they count by their number.</summary>
    static int Order(string name) =>
        name.Split('.') is [_, "member", var number, ..] && int.TryParse(number, CultureInfo.InvariantCulture, out var order) ? order : 0;

    static JsonArray? List(JsonObject members, string name) => (members[name] ??= new JsonArray()) as JsonArray;

    static JsonObject? Element(JsonArray? list, string at)
    {
        if (list is null || !int.TryParse(at, CultureInfo.InvariantCulture, out var number) || number is < 1 or > ListItemsMax)
            return null;
        while (list.Count < number)
            list.Add(new JsonObject());
        return list[number - 1] as JsonObject;
    }

    public override Task Write(OperationInfo operation, object response, HttpResponse http, CancellationToken cancel)
    {
        XNamespace ns = operation.Api.XmlNamespace!;
        var body = JsonSerializer.SerializeToNode(response, operation.ResponseType, WireJson.Query)!.AsObject();
        var root = new XElement(ns + $"{operation.Name}Response");
        if (operation.ResponseType != typeof(EmptyResponse))
            root.Add(new XElement(ns + $"{operation.Name}Result", body.SelectMany(m => Elements(ns, m.Key, m.Value))));
        root.Add(new XElement(ns + "ResponseMetadata", new XElement(ns + "RequestId", http.Headers["x-amzn-RequestId"].ToString())));
        return WriteXml(http, operation.Status, root, cancel);
    }

    static IEnumerable<XElement> Elements(XNamespace ns, string name, JsonNode? value) => value switch
    {
        null => [],
        JsonObject record => [new XElement(ns + name, record.SelectMany(m => Elements(ns, m.Key, m.Value)))],
        JsonArray list => [new XElement(ns + name, list.SelectMany(item => Elements(ns, "member", item)))],
        _ => [new XElement(ns + name, Legal(value.ToString()))],
    };

    public override Task WriteRefusal(ServiceException refusal, AwsApi? api, string requestId, HttpResponse http, CancellationToken cancel)
    {
        XNamespace ns = api?.XmlNamespace ?? "";
        var root = new XElement(ns + "ErrorResponse",
            new XElement(ns + "Error",
                new XElement(ns + "Type", refusal.Status >= 500 ? "Receiver" : "Sender"),
                new XElement(ns + "Code", CodeOf(refusal.Code)),
                new XElement(ns + "Message", Legal(refusal.Message))),
            new XElement(ns + "RequestId", requestId));
        return WriteXml(http, refusal.Status, root, cancel);
    }

    static Task WriteXml(HttpResponse http, int status, XElement root, CancellationToken cancel) =>
        WriteBytes(http, status, "text/xml", Encoding.UTF8.GetBytes(root.ToString(SaveOptions.DisableFormatting)), cancel);

    /// <summary>XML 1.0 has no way to write most control characters, not even as references.</summary>
    internal static string Legal(string text)
    {
        if (text.All(XmlConvert.IsXmlChar))
            return text;
        var legal = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i]))
                legal.Append(text[i]).Append(text[++i]);
            else
                legal.Append(XmlConvert.IsXmlChar(text[i]) ? text[i] : '\uFFFD');
        }
        return legal.ToString();
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
        "ServiceUnavailableException" => "ServiceUnavailable",
        "UnknownOperationException" => "InvalidAction",
        _ => code,
    };
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;

namespace Althing.Api.Protocols;

/// <summary>REST-XML from the caller's side: an operation's request as it goes to another platform, and what that one answers.</summary>
public static class RestXmlCall
{
    /// <summary>Makes the message of a request, unsigned. The path is sent as it is made here: keys may have dots and slashes anywhere.</summary>
    /// <param name="content">The body of a request that has content instead of members.</param>
    public static HttpRequestMessage Write(OperationInfo operation, object request, Uri endpoint, HttpContent? content = null)
    {
        var (path, query) = Target(operation, request);
        var exactly = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var message = new HttpRequestMessage(new(operation.Method!), new Uri($"{endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/')}{path}{query}", exactly)) { Content = content };
        foreach (var member in operation.RequestMembers)
        {
            if (member.Property.GetValue(request) is not { } value)
                continue;
            if (member.Location is PayloadAttribute)
                message.Content = new ByteArrayContent(RestXml.Xml(value, operation.Api)) { Headers = { ContentType = new("application/xml") } };
            else if (member.Location is HeadersAttribute)
                Add(message, member.WireName, (IReadOnlyDictionary<string, string>)value);
            else if (member.Location is HeaderAttribute)
                Add(message, member.WireName, Text(value));
        }
        return message;
    }

    static (string Path, string Query) Target(OperationInfo operation, object request)
    {
        var template = operation.Template!.Split('?', 2);
        var path = template[0].TrimEnd('/');
        SortedDictionary<string, string> query = new(StringComparer.Ordinal);
        foreach (var condition in template.Length > 1 ? template[1].Split('&') : [])
            query[condition.Split('=')[0]] = condition.Contains('=', StringComparison.Ordinal) ? condition.Split('=')[1] : "";
        foreach (var member in operation.RequestMembers)
        {
            if (member.Property.GetValue(request) is not { } value)
                continue;
            if (member.Location is LabelAttribute)
                path = path.Replace($"{{{member.WireName}}}", Escaped(value), StringComparison.Ordinal).Replace($"{{{member.WireName}+}}", Escaped(value), StringComparison.Ordinal);
            else if (member.Location is QueryAttribute)
                query[member.WireName] = Text(value);
        }
        return (path.Length > 0 ? path : "/", query.Count == 0 ? "" : "?" + string.Join('&', query.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}")));
    }

    static string Escaped(object label) => string.Join('/', ((string)label).Split('/').Select(Uri.EscapeDataString));

    static void Add(HttpRequestMessage message, string prefix, IReadOnlyDictionary<string, string> headers)
    {
        foreach (var (name, value) in headers)
            Add(message, prefix + name, value);
    }

    static void Add(HttpRequestMessage message, string name, string text)
    {
        // A line break would be a header of its own.
        var value = text.ReplaceLineEndings(" ");
        if (!message.Headers.TryAddWithoutValidation(name, value))
            (message.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
    }

    static string Text(object value) => value switch
    {
        bool truth => truth ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>The response record of an answer, from its status, its headers and its body.</summary>
    /// <exception cref="FormatException">It is no answer to this operation.</exception>
    public static object Read(OperationInfo operation, HttpResponseMessage answer, ReadOnlyMemory<byte> body)
    {
        try
        {
            var hasBody = operation.ResponseMembers.Any(m => m.Location is null);
            var members = hasBody ? XmlShapes.ReadAnswer(Root(body, XmlShapes.RootOf(operation.ResponseType)), operation.ResponseType, operation.Api) : [];
            foreach (var member in operation.ResponseMembers)
            {
                if (member.Location is StatusCodeAttribute)
                    members[member.JsonName] = (int)answer.StatusCode;
                else if (member.Location is HeadersAttribute)
                    members[member.JsonName] = Map(member.WireName, answer);
                else if (member.Location is HeaderAttribute && HeaderOf(answer, member.WireName) is { } value)
                    members[member.JsonName] = Binder.FromText(member, [value]);
            }
            return members.Deserialize(operation.ResponseType, operation.Api.Json)!;
        }
        catch (Exception wrong) when (wrong is XmlException or JsonException or ArgumentException)
        {
            throw new FormatException($"The answer to {operation.Name} is not understood: {wrong.Message}", wrong);
        }
    }

    /// <summary>The refusal in an answer; null when there is none in it.</summary>
    public static ServiceException? ReadRefusal(int status, ReadOnlyMemory<byte> body)
    {
        try
        {
            var error = Root(body, "Error");
            var fields = error.Elements().Where(e => !e.HasElements && e.Name.LocalName is not ("Code" or "Message" or "RequestId" or "HostId" or "Resource"));
            return Child("Code") is not { Length: > 0 } code ? null : new(code, status, Child("Message") ?? "", [.. fields.Select(f => (f.Name.LocalName, (string?)f.Value))]);

            string? Child(string name) => error.Elements().FirstOrDefault(e => e.Name.LocalName == name)?.Value;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    static XElement Root(ReadOnlyMemory<byte> body, string name)
    {
        // Long operations send spaces until they know how they end.
        using var reader = XmlReader.Create(new MemoryStream(body.TrimStart(" \t\r\n"u8).ToArray()), new() { DtdProcessing = DtdProcessing.Prohibit, IgnoreComments = true, CheckCharacters = false });
        var root = XElement.Load(reader);
        return root.Name.LocalName == name ? root : throw new XmlException($"it is a <{root.Name.LocalName}> and not a <{name}>.");
    }

    static JsonObject Map(string prefix, HttpResponseMessage answer) => new(
        from header in answer.Headers.NonValidated
        where header.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && header.Key.Length > prefix.Length
        select KeyValuePair.Create(header.Key[prefix.Length..].ToLowerInvariant(), (JsonNode?)string.Join(',', header.Value)));

    static string? HeaderOf(HttpResponseMessage answer, string name) =>
        answer.Headers.NonValidated.TryGetValues(name, out var own) ? string.Join(',', own)
        : answer.Content.Headers.NonValidated.TryGetValues(name, out var ofContent) ? string.Join(',', ofContent) : null;
}

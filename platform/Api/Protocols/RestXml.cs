using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace Althing.Api.Protocols;

/// <summary>REST-XML as Amazon S3 speaks it: members in path, query, headers and XML; content as it is.</summary>
sealed class RestXml : Protocol
{
    const int CopyBytes = 128 * 1024;

    public static RestXml Instance { get; } = new();

    public override JsonObject Read(OperationInfo operation, HttpRequest request, ReadOnlySpan<byte> body) =>
        Read(operation, request, ObjectPath.Of(SigV4.SignedRequest.RawTarget(request).Path, null), body);

    /// <summary>All members of the request under their JSON names.</summary>
    public static JsonObject Read(OperationInfo operation, HttpRequest request, ObjectPath path, ReadOnlySpan<byte> body)
    {
        JsonObject members = [];
        foreach (var member in operation.RequestMembers)
        {
            if (member.Location is PayloadAttribute)
            {
                if (body.Length == 0 && member.Required)
                    throw new ServiceException("MalformedXML", 400, $"{operation.Name} needs a body of XML.");
                if (body.Length > 0)
                    members[member.JsonName] = ReadXml(member, operation, body);
                continue;
            }
            if (member.Location is HeadersAttribute)
            {
                members[member.JsonName] = ReadMap(member.WireName, request.Headers);
                continue;
            }
            string?[] values = member.Location switch
            {
                LabelAttribute => [member.WireName == "Bucket" ? path.Bucket : path.Key],
                QueryAttribute => request.Query[member.WireName].ToArray(),
                HeaderAttribute => request.Headers[member.WireName].ToArray(),
                _ => [],
            };
            if (values is [not null, ..])
                members[member.JsonName] = Binder.FromText(member, values!);
        }
        return members;
    }

    static JsonObject ReadMap(string prefix, IHeaderDictionary headers) => new(
        from header in headers
        where header.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && header.Key.Length > prefix.Length
        select KeyValuePair.Create(header.Key[prefix.Length..].ToLowerInvariant(), (JsonNode?)string.Join(',', header.Value.ToArray())));

    static JsonObject ReadXml(MemberInfo member, OperationInfo operation, ReadOnlySpan<byte> body)
    {
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(body.ToArray()), new() { DtdProcessing = DtdProcessing.Prohibit, IgnoreComments = true, CheckCharacters = false });
            return XmlShapes.Read(XElement.Load(reader), member.Property.PropertyType, operation.Api);
        }
        catch (XmlException wrong)
        {
            throw new ServiceException("MalformedXML", 400, $"The XML of the request is not well formed or not of this operation's shape: {wrong.Message}");
        }
    }

    public override async Task Write(OperationInfo operation, object response, HttpResponse http, CancellationToken cancel)
    {
        var status = operation.Status;
        foreach (var member in operation.ResponseMembers)
        {
            if (member.Location is null || member.Property.GetValue(response) is not { } value)
                continue;
            if (member.Location is StatusCodeAttribute)
                status = (int)value;
            else if (member.Location is HeadersAttribute)
                WriteMap(member.WireName, (IReadOnlyDictionary<string, string>)value, http.Headers);
            else
                http.Headers[member.WireName] = HeaderText(value);
        }
        if (response is IStreamedResponse streamed)
            await WriteContent(streamed, status, http, cancel);
        else if (operation.ResponseMembers.Any(m => m.Location is null))
            await WriteBytes(http, status, "application/xml", Xml(response, operation.Api), cancel);
        else
            http.StatusCode = status;
    }

    static async Task WriteContent(IStreamedResponse response, int status, HttpResponse http, CancellationToken cancel)
    {
        http.StatusCode = status;
        if (status == StatusCodes.Status304NotModified)
            return;
        http.ContentLength = response.ContentLength;
        if (response.Content is not { } content)
            return;
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            for (int read; (read = await content.ReadAsync(buffer, cancel)) > 0;)
                await http.Body.WriteAsync(buffer.AsMemory(0, read), cancel);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            await content.DisposeAsync();
        }
    }

    internal static byte[] Xml(object response, AwsApi api) => Xml(xml =>
    {
        xml.WriteStartElement(XmlShapes.RootOf(response.GetType()), api.XmlNamespace);
        XmlShapes.Write(xml, response, api);
        xml.WriteEndElement();
    });

    static byte[] Xml(Action<XmlWriter> write)
    {
        using var bytes = new MemoryStream();
        // Keys may hold what XML 1.0 cannot: it goes out as a reference, as S3 does it.
        using (var xml = XmlWriter.Create(bytes, new() { Encoding = new UTF8Encoding(false), CheckCharacters = false }))
            write(xml);
        return bytes.ToArray();
    }

    static void WriteMap(string prefix, IReadOnlyDictionary<string, string> map, IHeaderDictionary headers)
    {
        foreach (var (name, value) in map)
            headers[prefix + name] = HeaderText(value);
    }

    /// <summary>Header values: a line break would be an injection, and what is not ASCII is written as RFC 2047 has it.</summary>
    static string HeaderText(object value) => value switch
    {
        string text => text.All(c => c is >= ' ' and < '\u007f' or '\t') ? text : $"=?UTF-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(text.ReplaceLineEndings(" ")))}?=",
        bool truth => truth ? "true" : "false",
        DateTimeOffset time => time.ToUniversalTime().ToString("R", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    public override async Task WriteRefusal(ServiceException refusal, AwsApi? api, string requestId, HttpResponse http, CancellationToken cancel)
    {
        var (code, status) = CodeOf(refusal);
        http.StatusCode = status;
        if (HttpMethods.IsHead(http.HttpContext.Request.Method) || status == StatusCodes.Status304NotModified)
            return;
        var body = Xml(xml =>
        {
            xml.WriteStartElement("Error");
            xml.WriteElementString("Code", code);
            xml.WriteElementString("Message", AwsQuery.Legal(refusal.Message));
            foreach (var (name, value) in refusal.Fields)
            {
                if (value is not null)
                    xml.WriteElementString(name, AwsQuery.Legal(value));
            }
            xml.WriteElementString("Resource", AwsQuery.Legal(http.HttpContext.Request.Path.Value ?? ""));
            xml.WriteElementString("RequestId", requestId);
            xml.WriteEndElement();
        });
        await WriteBytes(http, status, "application/xml", body, cancel);
    }

    /// <summary>S3's own names for what the door refuses ("Error responses", Amazon S3 API Reference).</summary>
    static (string Code, int Status) CodeOf(ServiceException refusal) => refusal.Code switch
    {
        "AccessDeniedException" or "MissingAuthenticationTokenException" => ("AccessDenied", 403),
        "UnrecognizedClientException" => ("InvalidAccessKeyId", 403),
        "InvalidSignatureException" => ("SignatureDoesNotMatch", 403),
        "IncompleteSignatureException" => ("AuthorizationHeaderMalformed", 400),
        "ExpiredTokenException" => ("ExpiredToken", 400),
        "ThrottlingException" => ("SlowDown", 503),
        "InternalFailureException" => ("InternalError", 500),
        "ServiceUnavailableException" => ("OperationAborted", 409),
        "UnknownOperationException" => ("MethodNotAllowed", 405),
        var code => (code, refusal.Status),
    };
}

using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using Althing.Api.SigV4;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Administration;

/// <summary>Asks a running platform by its <c>iam</c> and <c>althing</c> APIs, with an administrator's key, for that key's account.</summary>
/// <param name="endpoint">Such as <c>http://127.0.0.1:8080</c>.</param>
public sealed class OnlineAdministration(HttpClient http, Uri endpoint, string accessKeyId, Secret secret, TimeProvider time) : IAdministration
{
    const string Region = "us-east-1";

    public async Task<NewKey> CreateKey(string userName, string? policyJson, CancellationToken cancel)
    {
        // Said here, a fault in the file is found before the user is made.
        if (policyJson is not null && PolicyDocument.Validate(policyJson, PolicyKind.Identity).FirstOrDefault(p => p.Severity == PolicySeverity.Error) is { } problem)
            throw new AdministrationException($"Line {problem.Line}, column {problem.Column} of the policy: {problem.Message}");
        var (created, code) = await Try("CreateUser", cancel, ("UserName", userName));
        if (code is not (null or "EntityAlreadyExists"))
            throw Refused(created);
        if (policyJson is not null)
            await Iam("PutUserPolicy", cancel, ("UserName", userName), ("PolicyName", AccessKeys.PolicyName), ("PolicyDocument", policyJson));
        var key = await Iam("CreateAccessKey", cancel, ("UserName", userName));
        return new(userName, Text(key, "AccessKeyId"), new(Text(key, "SecretAccessKey")));
    }

    public async Task<IReadOnlyList<KeySummary>> ListKeys(CancellationToken cancel)
    {
        List<KeySummary> keys = [];
        foreach (var user in await Pages("ListUsers", "Users", cancel))
        {
            var found = await Pages("ListAccessKeys", "AccessKeyMetadata", cancel, ("UserName", Text(user, "UserName")));
            keys.AddRange(found.Select(k => new KeySummary(
                Text(k, "UserName"), Text(k, "AccessKeyId"), Text(k, "Status") == "Active",
                DateTimeOffset.Parse(Text(k, "CreateDate"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal))));
        }
        return [.. keys.OrderBy(k => k.UserName, StringComparer.Ordinal).ThenBy(k => k.CreatedAt)];
    }

    public async Task<KeySummary> RevokeKey(string accessKeyId, CancellationToken cancel)
    {
        var key = (await ListKeys(cancel)).FirstOrDefault(k => k.AccessKeyId == accessKeyId) ?? throw OfflineAdministration.KeyNotFound(accessKeyId);
        await Iam("DeleteAccessKey", cancel, ("UserName", key.UserName), ("AccessKeyId", key.AccessKeyId));
        return key;
    }

    public async Task<NewKey> CreateAccount(AccountId account, CancellationToken cancel)
    {
        var made = await Althing("CreateAccount", new() { ["accountId"] = account.Value }, cancel);
        return new(Text(made, "userName"), Text(made, "accessKeyId"), new(Text(made, "secretAccessKey")));
    }

    public async Task<IReadOnlyList<AccountId>> ListAccounts(CancellationToken cancel) =>
        [.. (await Althing("ListAccounts", [], cancel))["accounts"]!.AsArray().Select(a => new AccountId(Text(a!, "accountId")))];

    async Task<List<XElement>> Pages(string action, string list, CancellationToken cancel, params (string Name, string Value)[] members)
    {
        List<XElement> all = [];
        string? marker = null;
        do
        {
            var page = await Iam(action, cancel, marker is null ? members : [.. members, ("Marker", marker)]);
            all.AddRange(page.Descendants().Where(e => e.Name.LocalName == list).Elements());
            marker = page.Descendants().FirstOrDefault(e => e.Name.LocalName == "Marker")?.Value;
        }
        while (marker is not null);
        return all;
    }

    async Task<XElement> Iam(string action, CancellationToken cancel, params (string Name, string Value)[] members)
    {
        var (answer, code) = await Try(action, cancel, members);
        return code is null ? answer : throw Refused(answer);
    }

    /// <summary>The answer, and the error's code when it is one.</summary>
    async Task<(XElement Answer, string? Code)> Try(string action, CancellationToken cancel, params (string Name, string Value)[] members)
    {
        using var form = new FormUrlEncodedContent([
            new("Action", action), new("Version", IamApi.Definition.QueryVersion!), .. members.Select(m => KeyValuePair.Create(m.Name, m.Value))]);
        var body = await form.ReadAsByteArrayAsync(cancel);
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = form.Headers.ContentType;
        var (status, text) = await Send(request, "iam", body, cancel);
        var answer = Parsed(text, XElement.Parse);
        return (answer, status is >= 200 and < 300 ? null : Text(answer, "Code"));
    }

    async Task<JsonObject> Althing(string operation, JsonObject members, CancellationToken cancel)
    {
        var body = Encoding.UTF8.GetBytes(members.ToJsonString());
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-amz-json-1.1");
        request.Headers.Add("X-Amz-Target", $"{AlthingApi.Definition.TargetPrefix}.{operation}");
        var (status, text) = await Send(request, "althing", body, cancel);
        var answer = Parsed(text, t => JsonNode.Parse(t)!.AsObject());
        return status is >= 200 and < 300 ? answer : throw new AdministrationException(Text(answer, "message"));
    }

    async Task<(int Status, string Text)> Send(HttpRequestMessage request, string service, byte[] body, CancellationToken cancel)
    {
        new SigV4Signer(accessKeyId, secret, Region, service, time).Sign(request, body);
        try
        {
            using var response = await http.SendAsync(request, cancel);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancel));
        }
        catch (HttpRequestException failure)
        {
            throw new AdministrationException($"The platform at {endpoint} did not answer: {failure.Message}", failure);
        }
    }

    T Parsed<T>(string text, Func<string, T> parse)
    {
        try
        {
            return parse(text);
        }
        catch (Exception failure) when (failure is XmlException or JsonException or InvalidOperationException)
        {
            throw new AdministrationException($"What answers at {endpoint} is no platform of this kind. Give the address of the one that runs.", failure);
        }
    }

    static AdministrationException Refused(XElement error) => new(Text(error, "Message"));

    static string Text(XElement answer, string name) => answer.Descendants().First(e => e.Name.LocalName == name).Value;

    static string Text(JsonNode answer, string name) => answer[name]!.GetValue<string>();
}

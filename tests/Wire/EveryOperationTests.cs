using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Identity;
using Althing.Tests.Api;
using Binder = Althing.Api.Binder;

namespace Althing.Tests.Wire;

/// <summary>The door with every operation of the product behind it. The services themselves are not started: nothing here reaches them.</summary>
public sealed class WholeDoor : ToyHouse
{
    public override IReadOnlyList<Assembly> Assemblies => Served.Assemblies;
}

/// <summary>What must hold of every operation, without anybody writing a test for it.</summary>
public sealed class EveryOperationTests(WholeDoor door) : IClassFixture<WholeDoor>
{
    /// <summary>What any API may answer besides the exceptions that its model lists ("Common errors").</summary>
    static readonly string[] CommonErrors = ["InvalidRequestException", "ValidationException", "ValidationError", "InvalidSignatureException", "MissingAuthenticationTokenException"];

    public static TheoryData<string, string> Operations => [.. Served.Names];

    static async Task<(int Status, string Code, string Body)> Read(HttpResponseMessage response, OperationInfo operation)
    {
        var body = await response.Content.ReadAsStringAsync();
        var code = operation.Api.Protocol switch
        {
            WireProtocol.RestJson => response.Headers.TryGetValues("x-amzn-ErrorType", out var type) ? type.Single() : "",
            // HEAD has no body to say it in.
            WireProtocol.RestXml when operation.Method == "HEAD" => "",
            WireProtocol.AwsQuery or WireProtocol.RestXml => body.Contains("<Code>", StringComparison.Ordinal) ? body.Split("<Code>")[1].Split('<')[0] : "",
            _ => JsonNode.Parse(body)?["__type"]?.GetValue<string>() ?? "",
        };
        return ((int)response.StatusCode, code, body);
    }

    static HttpRequestMessage Request(OperationInfo operation, Uri address, byte[] body)
    {
        var request = new HttpRequestMessage(new(operation.Method ?? "POST"), new Uri(address, Sample.Target(operation)));
        if (operation.Api.TargetPrefix is { } prefix)
            request.Headers.Add("X-Amz-Target", $"{prefix}.{operation.Name}");
        // Objects have no routes of their own to be known by without a signature.
        if (operation.Api.Protocol == WireProtocol.RestXml)
            request.Headers.Host = "s3.althing.test";
        if (body.Length > 0)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        return request;
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task Nobody_unsigned_or_wrongly_signed_gets_in(string api, string name)
    {
        var operation = Served.Find(api, name);
        using var unsigned = Request(operation, door.Address, []);
        var (status, code, _) = await Read(await door.Http.SendAsync(unsigned), operation);
        Assert.Equal(403, status);
        Assert.Contains(code, operation.Api.Protocol == WireProtocol.RestXml ? ["AccessDenied", ""] : new[] { "MissingAuthenticationToken", "MissingAuthenticationTokenException" });

        var account = await door.NewAccount() with { Secret = new("wrong") };
        using var forged = Request(operation, door.Address, []);
        account.Signer(operation.Api.SigningNames[0]).Sign(forged, []);
        (status, code, _) = await Read(await door.Http.SendAsync(forged), operation);
        Assert.Equal(403, status);
        Assert.Contains(code, new[] { "InvalidSignatureException", "SignatureDoesNotMatch", operation.Method == "HEAD" ? "" : "SignatureDoesNotMatch" });
    }

    static IEnumerable<byte[]> BadBodies(OperationInfo operation)
    {
        foreach (var text in new[] { "not json", "[]", "7", "{\"a\":", "{\"a\":\"\\ud800\"}", string.Concat(Enumerable.Repeat("[", 10_000)), new string(' ', operation.Api.BodyBytesMax + 1) })
            yield return Encoding.UTF8.GetBytes(text);
        yield return [0xFF, 0xFE, 0x00];
        var random = new Random(name_seed(operation.Name));
        for (var i = 0; i < 5; i++)
        {
            var noise = new byte[random.Next(3, 300)];
            random.NextBytes(noise);
            yield return noise;
        }
        foreach (var member in operation.RequestMembers.Where(m => m.Location is null && m.Property.PropertyType != typeof(object)))
        {
            var wrong = member.Property.PropertyType == typeof(string) ? """{"a":[1]}""" : "\"\\u0000 text\"";
            yield return Encoding.UTF8.GetBytes($$"""{"{{member.JsonName}}":{{wrong}}}""");
        }
        static int name_seed(string name) => name.Sum(c => c);
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task Bad_bodies_get_a_modelled_refusal_and_never_a_failure(string api, string name)
    {
        var operation = Served.Find(api, name);
        if (operation.Api.Protocol is WireProtocol.AwsQuery or WireProtocol.RestXml || operation.RequestMembers.Any(m => m.Location is PayloadAttribute))
            return;
        var allowed = (ApiModel.Folder is null ? null : ApiModel.Of(api)?.Errors(name))?.Concat(CommonErrors).ToHashSet();
        var account = await door.NewAccount();
        foreach (var body in BadBodies(operation))
        {
            using var request = Request(operation, door.Address, body);
            account.Signer(operation.Api.SigningNames[0]).Sign(request, body);
            var (status, code, answer) = await Read(await door.Http.SendAsync(request), operation);
            Assert.True(status is >= 400 and < 500, $"{name} answered {status} {answer} to {Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 100)))}");
            Assert.True(allowed is null || allowed.Contains(code), $"{name} answered {code}, which its model does not list: {answer}");
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Every_operation_needs_the_permission_of_its_name(string api, string name)
    {
        if (PermissionsInAHeader.Contains($"{api}:{name}"))
            return;
        var operation = Served.Find(api, name);
        var caller = new Caller { Account = new("123456789012"), Arn = "arn:aws:iam::123456789012:user/x", UserId = "AIDAX", Kind = CallerKind.User, Region = "eu-north-1" };
        var bound = Binder.Bind(operation, Sample.Request(operation));
        // Without its services: what a call needs is decided from the request alone.
        var instance = (Operation)RuntimeHelpers.GetUninitializedObject(operation.Type);
        List<string> needed = [];
        for (var permission = instance.PermissionFor(bound, caller); permission is not null; permission = permission.And)
        {
            needed.Add(permission.Action);
            Assert.All(permission.Resources, r => Assert.True(r == "*" || Sample.Texts.Contains(r) || Arn.TryParse(r, out _), $"'{r}' is neither an ARN nor what the caller gave."));
        }
        if (PermissionsOfAnotherName.Contains($"{api}:{name}"))
            return;
        if (S3Permissions.TryGetValue(name, out var other) && api == "s3")
            name = other;
        Assert.Contains(needed, action => action.EndsWith($":{name}", StringComparison.Ordinal));
    }

    /// <summary>Operations that AWS lets everybody call, or authorizes under another name, or by more than the caller's own policies.</summary>
    static readonly HashSet<string> PermissionsOfAnotherName = ["sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole", "s3:DeleteObjects"];

    /// <summary>What they need stands in the header x-amz-copy-source; the object store's own tests look at it.</summary>
    static readonly HashSet<string> PermissionsInAHeader = ["s3:CopyObject", "s3:UploadPartCopy"];

    /// <summary>S3 has fewer actions than operations ("Required permissions for Amazon S3 API operations").</summary>
    static readonly Dictionary<string, string> S3Permissions = new()
    {
        ["ListBuckets"] = "ListAllMyBuckets", ["HeadBucket"] = "ListBucket", ["ListObjects"] = "ListBucket", ["ListObjectsV2"] = "ListBucket",
        ["ListObjectVersions"] = "ListBucketVersions", ["DeleteBucketTagging"] = "PutBucketTagging", ["HeadObject"] = "GetObject",
        ["CreateMultipartUpload"] = "PutObject", ["UploadPart"] = "PutObject", ["CompleteMultipartUpload"] = "PutObject",
        ["ListParts"] = "ListMultipartUploadParts", ["ListMultipartUploads"] = "ListBucketMultipartUploads",
    };
}

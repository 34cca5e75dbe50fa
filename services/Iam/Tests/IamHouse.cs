using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Althing.Api.SigV4;
using Althing.Iam;
using Althing.Identity;
using Althing.Tests.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Iam;

/// <summary>The door with <c>iam</c> and <c>sts</c> behind it, on a real socket. Its clock stands at the machine's time, because clients sign with theirs.</summary>
public sealed class IamHouse : ToyHouse
{
    public IamHouse() => Time = new FakeTimeProvider(DateTimeOffset.UtcNow);

    public override IReadOnlyList<Assembly> Assemblies => [IamService.Assembly, typeof(ToyHouse).Assembly];

    protected override void AddServices(IServiceCollection services) => services.AddIam();

    /// <summary>A new account's administrator.</summary>
    internal async Task<IamClient> NewAdministrator()
    {
        var account = await NewAccount();
        return new(this, account.Id.Value, account.KeyId, account.Secret, null);
    }
}

/// <summary>Somebody with credentials, calling as the AWS SDKs do.</summary>
sealed record IamClient(IamHouse House, string Account, string KeyId, Secret Secret, string? Token)
{
    public string UserArn(string name) => $"arn:aws:iam::{Account}:user/{name}";
    public string RoleArn(string name) => $"arn:aws:iam::{Account}:role/{name}";

    /// <summary>Calls and answers the result element, or the error's.</summary>
    public async Task<(int Status, XElement Answer)> Send(string action, params (string Name, string Value)[] members)
    {
        var sts = action is "GetCallerIdentity" or "AssumeRole" or "GetSessionToken";
        var form = new FormUrlEncodedContent([
            new("Action", action), new("Version", sts ? "2011-06-15" : "2010-05-08"), .. members.Select(m => KeyValuePair.Create(m.Name, m.Value))]);
        var body = await form.ReadAsByteArrayAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, House.Address) { Content = form };
        new SigV4Signer(KeyId, Secret, "eu-north-1", sts ? "sts" : "iam", House.Time, Token).Sign(request, body);
        using var response = await House.Http.SendAsync(request);
        return ((int)response.StatusCode, XElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    /// <summary>Calls and expects success.</summary>
    public async Task<XElement> Call(string action, params (string Name, string Value)[] members)
    {
        var (status, answer) = await Send(action, members);
        Assert.True(status == 200, $"{action}: {status} {answer}");
        return answer;
    }

    /// <summary>Calls and expects this refusal; answers its message.</summary>
    public async Task<string> Refused(string code, string action, params (string Name, string Value)[] members)
    {
        var (status, answer) = await Send(action, members);
        Assert.True(status >= 400, $"{action} was not refused: {answer}");
        Assert.Equal(code, Text(answer, "Code"));
        return Text(answer, "Message");
    }

    /// <summary>A user with a key and, if given, a policy.</summary>
    public async Task<IamClient> NewUser(string name, string? policy = null)
    {
        await Call("CreateUser", ("UserName", name));
        if (policy is not null)
            await Call("PutUserPolicy", ("UserName", name), ("PolicyName", "p"), ("PolicyDocument", policy));
        var key = await Call("CreateAccessKey", ("UserName", name));
        return this with { KeyId = Text(key, "AccessKeyId"), Secret = new(Text(key, "SecretAccessKey")) };
    }

    /// <summary>The caller that the answer's credentials make.</summary>
    public IamClient With(XElement answer) => this with
    {
        KeyId = Text(answer, "AccessKeyId"),
        Secret = new(Text(answer, "SecretAccessKey")),
        Token = Text(answer, "SessionToken"),
    };

    public static string Text(XElement answer, string name) => Texts(answer, name).First();

    public static IEnumerable<string> Texts(XElement answer, string name) => answer.Descendants().Where(e => e.Name.LocalName == name).Select(e => e.Value);

    /// <summary>A policy of one statement.</summary>
    public static string Policy(string action, string resource = "*", string effect = "Allow") =>
        $$"""{"Version":"2012-10-17","Statement":[{"Effect":"{{effect}}","Action":"{{action}}","Resource":"{{resource}}"}]}""";

    public static string TrustOf(string principal, string condition = "{}") =>
        $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"{{principal}}"},"Action":"sts:AssumeRole","Condition":{{condition}}}]}""";
}

/// <summary>Debian's AWS CLI, as anybody has it.</summary>
sealed class AwsCli(IamClient client)
{
    public static bool IsThere { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => File.Exists(Path.Combine(f, "aws")));

    /// <summary>Runs <c>aws</c> and answers what it printed; null for nothing.</summary>
    public async Task<JsonNode?> Run(params string[] arguments)
    {
        var (code, output, errors) = await Start(arguments);
        Assert.True(code == 0, $"aws {string.Join(' ', arguments)}: {errors}");
        return output.Length == 0 ? null : JsonNode.Parse(output);
    }

    public async Task<(int Code, string Output, string Errors)> Start(params string[] arguments)
    {
        // The tool signs with the machine's time, from which a house that has stood for minutes would be too far away.
        if (DateTimeOffset.UtcNow is var now && now > client.House.Time.GetUtcNow())
            client.House.Time.SetUtcNow(now);
        var start = new ProcessStartInfo("aws", ["--endpoint-url", client.House.Address.ToString(), "--region", "eu-north-1", "--output", "json", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var environment = start.Environment;
        (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"]) = (client.KeyId, client.Secret.Value, client.Token);
        // Nothing of whoever runs the tests may count.
        (environment["HOME"], environment["AWS_CONFIG_FILE"], environment["AWS_PROFILE"], environment["AWS_MAX_ATTEMPTS"]) = (client.House.Folder, "/dev/null", null, "1");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await errors);
    }
}

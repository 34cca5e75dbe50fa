using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Althing.Core.NamedClients;

namespace Althing.Host.Verbs;

/// <summary><c>althing mqtt-user</c>: who may use the plain MQTT listener.</summary>
sealed class MqttUserVerb : Verb
{
    const int PasswordCharacters = 24;

    public override string Name => "mqtt-user";
    public override string Summary => "Make, list and remove users of the plain MQTT listener ('up --mqtt PORT')";
    public override IReadOnlyList<string> Usage => ["add NAME --policy FILE | --policy-name NAME [OPTION...]", "list", "remove NAME"];
    public override int WordsMax => 2;
    public override IReadOnlyList<Option> Options =>
    [
        new("policy", "FILE", "What the user may do: an IoT policy. May be given more than once"),
        new("policy-name", "NAME", "A policy of the account, as it is at any time. May be given more than once"),
        new("client-id", "PATTERN", "The client ids that the user may connect with, * for any characters. Default: every one"),
        new("password-stdin", null, "Read the password from the standard input. Without it, one is made and printed"),
        .. Administrator.Options,
    ];

    public override async Task<int> Run(Arguments arguments)
    {
        Func<Administrator, Task> act = arguments.Words switch
        {
            ["add", var name] => Addition(name, arguments),
            ["list"] => List,
            ["remove", var name] => administrator => Remove(administrator, name),
            _ => throw Misused(),
        };
        await using var administrator = await Administrator.Reach(arguments);
        await act(administrator);
        return 0;
    }

    static Func<Administrator, Task> Addition(string name, Arguments arguments)
    {
        var (files, names) = (arguments.All("policy"), arguments.All("policy-name"));
        if (files.Count + names.Count == 0)
            throw new UsageException("without a policy the user could do nothing: give --policy FILE or --policy-name NAME.");
        var made = arguments.Has("password-stdin") ? null : RandomNumberGenerator.GetString("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", PasswordCharacters);
        var request = new JsonObject
        {
            ["userName"] = name,
            ["password"] = made ?? Console.In.ReadLine() ?? throw new FailedException("The standard input is empty: it should hold the password in its first line."),
            ["policyNames"] = new JsonArray([.. names.Select(n => JsonValue.Create(n))]),
            ["policyDocuments"] = new JsonArray([.. files.Select(f => JsonValue.Create(TextFile.Read(f)))]),
        };
        if (arguments.Get("client-id") is { } pattern)
            request["clientIdPattern"] = pattern;
        return async administrator =>
        {
            await administrator.Call(NamedClientsApi.Definition, "CreateMqttUser", request, CancellationToken.None);
            if (made is null)
                return;
            Console.WriteLine(made);
            await Console.Error.WriteLineAsync($"This is {name}'s password. It cannot be shown again.");
        };
    }

    static async Task List(Administrator administrator)
    {
        string? token = null;
        do
        {
            var request = token is null ? new JsonObject() : new JsonObject { ["nextToken"] = token };
            var page = await administrator.Call(NamedClientsApi.Definition, "ListMqttUsers", request, CancellationToken.None);
            foreach (var user in page["users"]!.AsArray())
                Print(user!);
            token = page["nextToken"]?.GetValue<string>();
        }
        while (token is not null);
    }

    static void Print(JsonNode user)
    {
        var policies = user["policyNames"]!.AsArray().Select(n => n!.GetValue<string>()).Concat(
            user["policyDocuments"]!.AsArray().Select(_ => "(own)"));
        var created = DateTimeOffset.FromUnixTimeMilliseconds((long)(user["creationDate"]!.GetValue<double>() * 1000));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{user["userName"],-32}{created:yyyy-MM-dd HH:mm}  client ids {user["clientIdPattern"] ?? "*"}, policies {string.Join(' ', policies)}"));
    }

    static async Task Remove(Administrator administrator, string name)
    {
        await administrator.Call(NamedClientsApi.Definition, "DeleteMqttUser", new() { ["userName"] = name }, CancellationToken.None);
        Console.WriteLine($"'{name}' cannot connect any more; its connections end.");
    }
}

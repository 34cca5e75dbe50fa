using System.Globalization;
using Althing.Iam.Administration;

namespace Althing.Host.Verbs;

/// <summary><c>althing key</c>: keys for people and programs.</summary>
sealed class KeyVerb : Verb
{
    public override string Name => "key";
    public override string Summary => "Make, list and revoke access keys for users of the APIs";
    public override IReadOnlyList<string> Usage => ["create USER [--policy FILE]", "list", "revoke KEY-ID"];
    public override int WordsMax => 2;
    public override IReadOnlyList<Option> Options =>
    [
        new("policy", "FILE", "What the user may do: an IAM policy. Without it, what the user may already"),
        .. Administrator.Options,
    ];

    public override async Task<int> Run(Arguments arguments)
    {
        Func<IAdministration, Task> act = arguments.Words switch
        {
            ["create", var user] => accounts => Create(accounts, user, arguments.Get("policy")),
            ["list"] => List,
            ["revoke", var id] => accounts => Revoke(accounts, id),
            _ => throw Misused(),
        };
        await using var administrator = await Administrator.Reach(arguments);
        await act(administrator.Accounts);
        return 0;
    }

    /// <summary>Prints the key as a credentials file, so that the output may be one.</summary>
    static async Task Create(IAdministration accounts, string user, string? policyFile)
    {
        var key = await accounts.CreateKey(user, policyFile is null ? null : TextFile.Read(policyFile), CancellationToken.None);
        Console.WriteLine($"[default]\naws_access_key_id = {key.AccessKeyId}\naws_secret_access_key = {key.SecretAccessKey.Value}");
        await Console.Error.WriteLineAsync($"The secret of {key.UserName}'s key cannot be shown again.");
    }

    static async Task List(IAdministration accounts)
    {
        foreach (var key in await accounts.ListKeys(CancellationToken.None))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{key.AccessKeyId,-24}{key.UserName,-32}{(key.Active ? "active" : "inactive"),-10}{key.CreatedAt:yyyy-MM-dd HH:mm}"));
    }

    static async Task Revoke(IAdministration accounts, string id)
    {
        var key = await accounts.RevokeKey(id, CancellationToken.None);
        Console.WriteLine($"The key {key.AccessKeyId} of {key.UserName} opens nothing any more.");
    }
}

using Althing.Identity;
using Althing.Storage;

namespace Althing.Host.Verbs;

/// <summary><c>althing account</c>: further accounts beside the first.</summary>
sealed class AccountVerb : Verb
{
    public override string Name => "account";
    public override string Summary => "Make and list accounts";
    public override IReadOnlyList<string> Usage => ["create ID", "list"];
    public override int WordsMax => 2;
    public override IReadOnlyList<Option> Options => [DataFolder.Option, DataFolder.PostgreSql];

    public override async Task<int> Run(Arguments arguments)
    {
        Func<Administrator, Task> act = arguments.Words switch
        {
            ["create", var id] => Creation(DataFolder.Of(arguments), Arguments.AccountOf("create", id)),
            ["list"] => List,
            _ => throw Misused(),
        };
        await using var administrator = await Administrator.Reach(arguments);
        await act(administrator);
        return 0;
    }

    static Func<Administrator, Task> Creation(string folder, AccountId account) => async administrator =>
    {
        var key = await administrator.Accounts.CreateAccount(account, CancellationToken.None);
        CredentialsFile.Put(folder, account.Value, key.AccessKeyId, key.SecretAccessKey);
        Console.WriteLine($"Account {account} is there. Its administrator's key is the profile [{account}] of {CredentialsFile.PathIn(folder)}");
    };

    static async Task List(Administrator administrator)
    {
        foreach (var account in await administrator.Accounts.ListAccounts(CancellationToken.None))
            Console.WriteLine(account);
    }
}

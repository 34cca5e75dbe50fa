using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Commands;

/// <summary>What several operations ask of commands and their executions.</summary>
sealed class CommandStore(IStore store)
{
    public const string IdPattern = "[a-zA-Z0-9_-]+";
    public const string TextPattern = @"[^\p{C}]*";

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<Command>> Require(AccountId account, string id, CancellationToken cancel) =>
        await store.Get(Command.Table, account, id, cancel) ?? throw Refuse.ResourceNotFound($"There is no command '{id}'. ListCommands shows those there are.");

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<CommandExecution>> RequireExecution(AccountId account, string target, string id, CancellationToken cancel) =>
        await store.Get(CommandExecution.Table, account, CommandExecution.KeyOf(target, id), cancel)
        ?? throw Refuse.ResourceNotFound($"There is no command execution '{id}' of '{target}'. ListCommandExecutions shows those there are.");

    /// <summary>For tags.</summary>
    public async ValueTask<string?> TagsOf(Batch batch, AccountId account, string id, CancellationToken cancel)
    {
        if (await store.Get(Command.Table, account, id, cancel) is not { } row)
            return null;
        batch.Require(Command.Table, row);
        return Command.TagKey(id);
    }

    /// <summary><c>thing/NAME</c> or <c>client/ID</c>.</summary>
    /// <exception cref="ServiceException">ValidationException.</exception>
    public static string TargetOf(string text, Caller caller)
    {
        if (Arn.TryParse(text, out var arn) && arn.Service == "iot" && arn.Account == caller.Account.Value && arn.ResourceId.Length is > 0 and <= 128
            && arn.ResourceType is "thing" or "client" && arn.ResourceId.IndexOfAny(['/', '+', '#']) < 0)
            return arn.Resource;
        throw Refuse.Validation($"'{text}' at 'targetArn' is not the ARN of a thing or an MQTT client of account {caller.Account}, such as {caller.ArnOf("iot", "thing/NAME")}.");
    }

    /// <exception cref="ServiceException">ValidationException.</exception>
    public static string CommandOf(string text, Caller caller)
    {
        if (Arn.TryParse(text, out var arn) && arn.Service == "iot" && arn.Account == caller.Account.Value && arn.ResourceType == "command" && arn.ResourceId.Length > 0)
            return arn.ResourceId;
        throw Refuse.Validation($"'{text}' at 'commandArn' is not the ARN of a command of account {caller.Account}, such as {caller.ArnOf("iot", "command/ID")}.");
    }
}

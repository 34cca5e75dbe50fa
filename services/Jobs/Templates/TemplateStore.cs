using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Jobs.Templates;

/// <summary>What several operations ask about job templates.</summary>
sealed class TemplateStore(IStore store)
{
    public const string ResourceType = "jobtemplate";

    public static string ArnOf(string id, Caller caller) => caller.ArnOf("iot", $"{ResourceType}/{id}");

    public ValueTask<Row<JobTemplate>?> Find(AccountId account, string id, CancellationToken cancel) => store.Get(JobTemplate.Table, account, id, cancel);

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<JobTemplate>> Require(AccountId account, string id, CancellationToken cancel) =>
        await Find(account, id, cancel) ?? throw Refuse.ResourceNotFound($"There is no job template '{id}'. ListJobTemplates shows those there are.");

    /// <summary>The template of an ARN: one of the account's own, or a managed one, whose ARN has no account.</summary>
    /// <exception cref="ServiceException">InvalidRequestException for another ARN; ResourceNotFoundException.</exception>
    public async ValueTask<Blueprint> Resolve(string text, Caller caller, CancellationToken cancel)
    {
        var arn = Arn.Parse(text, Refuse.InvalidRequest);
        if (arn.Service != "iot" || arn.ResourceType != ResourceType || (arn.Account.Length > 0 && arn.Account != caller.Account.Value))
            throw Refuse.InvalidRequest($"'{text}' at 'jobTemplateArn' is not the ARN of a managed job template or of one of account {caller.Account}.");
        if (arn.Account.Length > 0)
            return new((await Require(caller.Account, arn.ResourceId, cancel)).Value, []);
        var managed = ManagedTemplate.All.FirstOrDefault(t => $"{t.Name}:{t.Version}" == arn.ResourceId)
            ?? throw Refuse.ResourceNotFound($"There is no managed job template '{arn.ResourceId}'. ListManagedJobTemplates shows those there are.");
        JobTemplate template = new()
        {
            Account = caller.Account,
            Id = managed.Name,
            Description = managed.Description,
            CreatedAt = default,
            Document = managed.Document,
        };
        return new(template, managed.Parameters);
    }

    /// <summary>For <see cref="TaggedKind"/>.</summary>
    public async ValueTask<string?> TagsOf(Batch batch, AccountId account, string id, CancellationToken cancel)
    {
        if (await Find(account, id, cancel) is not { } row)
            return null;
        batch.Require(JobTemplate.Table, row);
        return JobTemplate.TagKey(id);
    }
}

/// <summary>A template and what its document wants to know. A template of one's own asks nothing.</summary>
sealed record Blueprint(JobTemplate Template, IReadOnlyList<DocumentParameter> Parameters);

/// <summary>Something that whoever makes a job of a managed template says, or may say.</summary>
/// <remarks>As the API has it.</remarks>
sealed record DocumentParameter
{
    public required string Key { get; init; }
    public required string Description { get; init; }

    /// <summary>The whole value must match.</summary>
    public required string Regex { get; init; }
    public required string Example { get; init; }
    public required bool Optional { get; init; }
}

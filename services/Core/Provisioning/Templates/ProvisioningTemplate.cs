using System.Globalization;
using Althing.Api;
using Althing.Core.CustomAuthorizers;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Templates;

/// <summary>A provisioning template with its versions, five at most.</summary>
sealed record ProvisioningTemplate
{
    public static readonly Table<ProvisioningTemplate> Table = new("provisioning-templates", t => (t.Account, t.Name));

    public const string Fleet = "FLEET_PROVISIONING";
    public const string JustInTime = "JITP";

    /// <summary>Service quotas "Maximum number of fleet provisioning templates per account", and of versions of one.</summary>
    public const int PerAccountMax = 256;
    public const int VersionsMax = 5;

    public const string NamePattern = "^[0-9A-Za-z_-]+$";

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public required string Type { get; init; }
    public string? Description { get; init; }
    public required bool Enabled { get; init; }
    public required string RoleArn { get; init; }
    public ProvisioningHook? PreProvisioningHook { get; init; }
    public required int DefaultVersion { get; init; }

    /// <summary>The number that the newest version got; numbers are never used again.</summary>
    public required int LastVersion { get; init; }
    public required IReadOnlyList<TemplateVersion> Versions { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }

    public TemplateVersion Default => Versions.First(v => v.Id == DefaultVersion);

    public TemplateUse Use => Type == JustInTime ? TemplateUse.JustInTime : TemplateUse.Fleet;

    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "provisioningtemplate/" + name);

    /// <summary>What the template's tags are kept under.</summary>
    public static string TagKey(string name) => "iot:provisioningtemplate/" + name;

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public static async ValueTask<Row<ProvisioningTemplate>> Require(IStore store, AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no provisioning template '{name}'. ListProvisioningTemplates shows those there are.");

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public TemplateVersion RequireVersion(int id) => Versions.FirstOrDefault(v => v.Id == id)
        ?? throw Refuse.ResourceNotFound(
            $"The template '{Name}' has no version {id}; it has {string.Join(", ", Versions.Select(v => v.Id.ToString(CultureInfo.InvariantCulture)))}.");

    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static ProvisioningText CheckBody(string body, TemplateUse use)
    {
        try
        {
            return ProvisioningText.Read(body, use);
        }
        catch (TemplateFault fault)
        {
            throw Refuse.InvalidRequest($"'templateBody' is not accepted: {fault.Message}");
        }
    }
}

sealed record TemplateVersion(int Id, string Body, DateTimeOffset CreatedAt);

/// <summary>Who is asked before a device is provisioned.</summary>
sealed record ProvisioningHook
{
    /// <summary>The only version there is of what a hook is sent.</summary>
    public const string CurrentVersion = "2020-04-01";

    [Length(10, 32), Pattern("^[0-9-]+$")]
    public string? PayloadVersion { get; init; }
    [Length(0, 2048)]
    public required string TargetArn { get; init; }

    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void Check(ProvisioningHook? hook)
    {
        if (hook is null)
            return;
        FunctionAddress.Check(hook.TargetArn, "preProvisioningHook.targetArn");
        if (hook.PayloadVersion is { } version && version != CurrentVersion)
            throw Refuse.InvalidRequest($"'preProvisioningHook.payloadVersion' is {CurrentVersion}, not '{version}'.");
    }
}

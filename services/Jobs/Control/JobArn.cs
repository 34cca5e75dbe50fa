using Althing.Api;
using Althing.Core;
using Althing.Identity;

namespace Althing.Jobs.Control;

/// <summary>What requests name of jobs, and what callers need to use it.</summary>
static class JobArn
{
    public const string IdPattern = "[a-zA-Z0-9_-]+";
    public const string TextPattern = @"[^\p{C}]+";

    public static string Of(string job, Caller caller) => caller.ArnOf("iot", "job/" + job);

    /// <summary>The id in the ARN of a job of the caller's account.</summary>
    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static string IdOf(string text, Caller caller) =>
        Arn.TryParse(text, out var arn) && arn.Service == "iot" && arn.Account == caller.Account.Value && arn is { ResourceType: "job", ResourceId.Length: > 0 }
            ? arn.ResourceId
            : throw Refuse.InvalidRequest($"'{text}' at 'jobArn' is not the ARN of a job of account {caller.Account}.");

    /// <summary>What a call about one execution is judged on: the job and the thing.</summary>
    public static Permission NeedsExecution(string action, string job, string thing, Caller caller) =>
        new(action, Of(job, caller), caller.ArnOf("iot", "thing/" + thing));

    /// <summary>The target of an ARN: a thing or a group of the caller's account, in whatever region.</summary>
    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static (string Name, bool IsGroup) TargetOf(string text, Caller caller)
    {
        if (Arn.TryParse(text, out var arn) && arn.Service == "iot" && arn.Account == caller.Account.Value && arn.ResourceId.Length > 0
            && arn.ResourceType is "thing" or "thinggroup")
            return (arn.ResourceId, arn.ResourceType == "thinggroup");
        throw Refuse.InvalidRequest($"'{text}' at 'targets' is not the ARN of a thing or a thing group of account {caller.Account}.");
    }
}

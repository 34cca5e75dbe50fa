using Althing.Storage;

namespace Althing.Identity;

/// <summary>Who makes a call: established once at the door, then trusted.</summary>
public sealed record Caller
{
    /// <summary>The context key that only callers with temporary credentials have: when those were given.</summary>
    public const string TokenIssueTime = "aws:TokenIssueTime";

    /// <summary>Whether the caller came with temporary credentials.</summary>
    public bool IsTemporary => Context.ContainsKey(TokenIssueTime);

    public required AccountId Account { get; init; }

    /// <summary>For example <c>arn:aws:iam::000000000000:user/admin</c> or an assumed role's session ARN.</summary>
    public required string Arn { get; init; }

    /// <summary>As GetCallerIdentity answers it: the account id for root, <c>AIDA…</c> for users, <c>AROA…:session</c> for roles.</summary>
    public required string UserId { get; init; }

    public required CallerKind Kind { get; init; }

    /// <summary>The region the request was signed for; it appears in ARNs. Any region is accepted.</summary>
    public required string Region { get; init; }

    /// <summary>The identity policies that say what the caller may do. Root needs none.</summary>
    public IReadOnlyList<PolicyDocument> Policies { get; init; } = [];

    /// <summary>A session policy or a permissions boundary: when present, it must allow as well.</summary>
    public PolicyDocument? Boundary { get; init; }

    /// <summary>Values for policy variables and conditions, such as <c>aws:SourceIp</c> and <c>aws:username</c>. Keys ignore case.</summary>
    public IReadOnlyDictionary<string, string> Context { get; init; } = new Dictionary<string, string>();

    /// <summary>The access key that signed, for throttling and the audit log; null for callers inside the process.</summary>
    public string? AccessKeyId { get; init; }

    /// <summary>An ARN of the account in the caller's region: <c>arn:aws:iot:region:account:thing/name</c>.</summary>
    public string ArnOf(string service, string resource) => $"arn:aws:{service}:{Region}:{Account}:{resource}";
}

public enum CallerKind { Root, User, AssumedRole, Certificate, Console, CustomAuthorizer }

using System.Text.Json.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Sts;

/// <summary>Temporary credentials of a role, of this account or another, for those whom its trust policy lets in.</summary>
/// <remarks>
/// Whether the caller's own policies must allow it depends on the trust policy ("Cross-account policy evaluation logic", IAM User Guide), so
/// all is judged in <see cref="Run"/>. A role that is not there is refused like one that does not trust the caller.
/// </remarks>
[Operation<StsApi>]
sealed class AssumeRole(IamStore iam, SigningKeys keys) : Operation<AssumeRoleRequest, AssumeRoleResponse>
{
    const string Action = "sts:AssumeRole";
    static readonly TimeSpan DurationDefault = TimeSpan.FromHours(1);
    static readonly TimeSpan ChainedMax = TimeSpan.FromHours(1);

    protected override Permission Needs(AssumeRoleRequest request, Caller caller) => Permission.None;

    protected override void Check(AssumeRoleRequest request)
    {
        if (request.Policy is { } policy)
            InlinePolicies.Check(policy, PolicyKind.Identity);
        if (request.PolicyArns is { Count: > 0 })
            throw Refuse.Validation("PolicyArns names managed policies, which are not served. Give the session policy's text as Policy.");
        if (request.Tags is { Count: > 0 } || request.TransitiveTagKeys is { Count: > 0 })
            throw Refuse.Validation("Tags of sessions are not served. Leave Tags and TransitiveTagKeys out.");
        if (request.SourceIdentity is not null)
            throw Refuse.Validation("SourceIdentity is not served. Leave it out.");
        MultiFactor.Check(request.SerialNumber, request.TokenCode);
    }

    protected override async ValueTask<AssumeRoleResponse> Run(AssumeRoleRequest request, Caller caller, CancellationToken cancel)
    {
        if (caller.Kind is not (CallerKind.User or CallerKind.AssumedRole))
            throw Refuse.AccessDenied("Roles may not be assumed by root accounts.");
        var role = await Find(request.RoleArn, cancel);
        if (role is null || !IsAllowed(request, caller, role))
            throw Refuse.AccessDenied($"User: {caller.Arn} is not authorized to perform: {Action} on resource: {request.RoleArn}");
        var duration = request.DurationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : DurationDefault;
        if (duration > role.SessionMax)
            throw Refuse.Validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
        if (caller.Kind == CallerKind.AssumedRole && duration > ChainedMax)
            throw Refuse.Validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining");
        var (key, expires) = keys.CreateSession(role, request.RoleSessionName, duration, request.Policy);
        return new()
        {
            Credentials = Credentials.Of(key, expires),
            AssumedRoleUser = new() { AssumedRoleId = key.Caller.UserId, Arn = key.Caller.Arn },
        };
    }

    async ValueTask<Role?> Find(string text, CancellationToken cancel)
    {
        var arn = Api.Arn.Parse(text, Refuse.Validation);
        if (arn.Service != "iam" || arn.ResourceType != "role" || arn.Account is not { Length: 12 } account || !account.All(char.IsAsciiDigit))
            throw Refuse.Validation($"'{text}' is not a role's ARN. It must have the form arn:aws:iam::123456789012:role/name.");
        return (await iam.FindRole(new AccountId(account), arn.ResourceId, cancel))?.Value;
    }

    static bool IsAllowed(AssumeRoleRequest request, Caller caller, Role role)
    {
        var context = new Dictionary<string, string>(caller.Context, StringComparer.OrdinalIgnoreCase) { ["sts:RoleSessionName"] = request.RoleSessionName };
        if (request.ExternalId is { } externalId)
            context["sts:ExternalId"] = externalId;
        var trust = TrustPolicy.Judge(PolicyDocument.Parse(role.TrustPolicy, PolicyKind.Trust), caller, Action, context);
        if (trust is Trust.None or Trust.Denied)
            return false;
        var asked = new AccessRequest(Action, role.Arn, context);
        var own = PolicyEvaluator.Evaluate(caller.Policies, asked);
        if (own.Effect == Effect.ExplicitDeny || (caller.Boundary is { } boundary && !PolicyEvaluator.Evaluate([boundary], asked).Allowed))
            return false;
        return own.Allowed || (trust == Trust.Caller && role.Account == caller.Account);
    }
}

sealed record AssumeRoleRequest
{
    [Length(20, 2048)]
    public required string RoleArn { get; init; }
    [Length(2, 64), Pattern(@"[\w+=,.@-]*")]
    public required string RoleSessionName { get; init; }
    public IReadOnlyList<PolicyDescriptorType>? PolicyArns { get; init; }
    [Length(1, 2048), Pattern(Names.Document)]
    public string? Policy { get; init; }
    [Range(900, 43200)]
    public int? DurationSeconds { get; init; }
    [Length(0, 50)]
    public IReadOnlyList<IamTag>? Tags { get; init; }
    [Length(0, 50)]
    public IReadOnlyList<string>? TransitiveTagKeys { get; init; }
    [Length(2, 1224), Pattern(@"[\w+=,.@:\/-]*")]
    public string? ExternalId { get; init; }
    [Length(9, 256), Pattern(@"[\w+=/:,.@-]*")]
    public string? SerialNumber { get; init; }
    [Length(6, 6), Pattern(@"[\d]*")]
    public string? TokenCode { get; init; }
    [Length(2, 64), Pattern(@"[\w+=,.@-]*")]
    public string? SourceIdentity { get; init; }
}

sealed record PolicyDescriptorType
{
    [JsonPropertyName("arn")]
    public string? Arn { get; init; }
}

sealed record AssumeRoleResponse
{
    public required Credentials Credentials { get; init; }
    public required AssumedRoleUser AssumedRoleUser { get; init; }
}

sealed record AssumedRoleUser
{
    public required string AssumedRoleId { get; init; }
    public required string Arn { get; init; }
}

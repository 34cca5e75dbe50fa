using System.Text.RegularExpressions;
using Althing.Api;
using Althing.Core.Authority;
using Althing.Core.Certificates;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

/// <summary>
/// Judges what a principal may do as the gateway would: by the policies on it and on the groups of the thing that it connects as when a
/// <c>clientId</c> is given, less and plus the policies named. Nothing is changed.
/// </summary>
[Operation<Iot>("POST /test-authorization", ReadOnly = true)]
sealed partial class TestAuthorization(IStore store, PolicyTargets targets, PolicyStore policies, RightsReader rights)
    : Operation<TestAuthorizationRequest, TestAuthorizationResponse>
{
    sealed record Candidate(string Name, PolicyDocument Document);

    protected override Permission Needs(TestAuthorizationRequest request, Caller caller) => new("iot:TestAuthorization", request.Principal ?? "*");

    protected override void Check(TestAuthorizationRequest request)
    {
        if (request.CognitoIdentityPoolId is not null)
            throw Refuse.InvalidRequest("There are no Cognito identity pools here: give the identity's id as principal instead of cognitoIdentityPoolId.");
        if (request.Principal is null && request.PolicyNamesToAdd is not { Count: > 0 })
            throw Refuse.InvalidRequest("Give a principal, policyNamesToAdd or both.");
        foreach (var info in request.AuthInfos)
        {
            if (info.ActionType is null)
                throw Refuse.InvalidRequest("Each of 'authInfos' needs an 'actionType': PUBLISH, SUBSCRIBE, RECEIVE or CONNECT.");
            if (info.Resources.Count == 0)
                throw Refuse.InvalidRequest("Each of 'authInfos' needs at least one resource.");
        }
    }

    protected override async ValueTask<TestAuthorizationResponse> Run(TestAuthorizationRequest request, Caller caller, CancellationToken cancel)
    {
        var context = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (request.ClientId is { } clientId)
            context["iot:ClientId"] = clientId;
        List<string> names = [];
        if (request.Principal is { } text)
        {
            var principal = PrincipalRef.Parse(text, caller.Account);
            await targets.RequireTarget(caller.Account, principal, text, cancel);
            var thing = await AddVariables(context, caller.Account, principal, request.ClientId, cancel);
            names.AddRange(await targets.Effective(caller.Account, principal, thing, cancel));
        }
        names.RemoveAll(n => request.PolicyNamesToSkip?.Contains(n) is true);
        names.AddRange(request.PolicyNamesToAdd ?? []);
        List<Candidate> candidates = [];
        foreach (var name in names.Distinct(StringComparer.Ordinal))
        {
            var policy = (await policies.Require(caller.Account, name, cancel)).Value;
            candidates.Add(new(name, PolicyStore.Parse(policy.Default.Document)));
        }
        return new() { AuthResults = [.. request.AuthInfos.Select(info => Judge(info, candidates, context, caller))] };
    }

    async ValueTask<string?> AddVariables(
        Dictionary<string, string> context, AccountId account, string principal, string? clientId, CancellationToken cancel)
    {
        if (PrincipalRef.CertificateId(principal) is { } id && await store.Get(Certificate.Table, account, id, cancel) is { } certificate)
            return (await rights.AddVariables(context, certificate.Value, clientId, cancel))?.Name;
        return null;
    }

    // An action on several resources is allowed when it is on each of them, and denied explicitly when it is so on any.
    static AuthResult Judge(AuthInfo info, List<Candidate> candidates, Dictionary<string, string> context, Caller caller)
    {
        IReadOnlyList<PolicyDocument> documents = [.. candidates.Select(c => c.Document)];
        var action = info.ActionType switch
        {
            "PUBLISH" => "iot:Publish",
            "SUBSCRIBE" => "iot:Subscribe",
            "RECEIVE" => "iot:Receive",
            _ => "iot:Connect",
        };
        var judgements = info.Resources.Select(r => PolicyEvaluator.Evaluate(documents, new(action, r, context))).ToList();
        IReadOnlyList<PolicySummary> Named(Func<Judgement, IReadOnlyList<int>> which) =>
            [.. judgements.SelectMany(which).Distinct().Order().Select(i => PolicySummary.Of(candidates[i].Name, caller))];
        var decision = judgements.Exists(j => j.Effect == Effect.ExplicitDeny) ? "EXPLICIT_DENY"
            : judgements.TrueForAll(j => j.Allowed) ? "ALLOWED"
            : "IMPLICIT_DENY";
        var silent = judgements.Exists(j => j.Effect == Effect.ImplicitDeny)
            ? candidates.Where((_, i) => !judgements.Exists(j => j.AllowedBy.Contains(i) || j.DeniedBy.Contains(i))).Select(c => PolicySummary.Of(c.Name, caller)).ToList()
            : [];
        return new()
        {
            AuthInfo = info,
            Allowed = new() { Policies = Named(j => j.AllowedBy) },
            Denied = new()
            {
                ImplicitDeny = new() { Policies = silent },
                ExplicitDeny = new() { Policies = Named(j => j.DeniedBy) },
            },
            AuthDecision = decision,
            MissingContextValues = [.. documents.SelectMany(Variables).Distinct(StringComparer.OrdinalIgnoreCase).Where(v => !context.ContainsKey(v)).Order(StringComparer.Ordinal)],
        };
    }

    /// <summary>The variables and condition keys whose values a policy asks for.</summary>
    static IEnumerable<string> Variables(PolicyDocument document) =>
        from statement in document.Statements
        let texts = statement.Resources.Concat(statement.Conditions.SelectMany(c => c.Values))
        let named = texts.SelectMany(t => Variable().Matches(t)).Select(m => m.Groups[1].Value)
        from name in named.Concat(statement.Conditions.Select(c => c.Key))
        select name;

    [GeneratedRegex(@"\$\{\s*([A-Za-z][^},]*?)\s*[,}]")]
    private static partial Regex Variable();
}

sealed record TestAuthorizationRequest
{
    public string? Principal { get; init; }
    public string? CognitoIdentityPoolId { get; init; }
    [Length(1, 10)]
    public required IReadOnlyList<AuthInfo> AuthInfos { get; init; }
    [Query]
    public string? ClientId { get; init; }
    [Each(LengthMin = 1, LengthMax = 128, Pattern = Names.Policy)]
    public IReadOnlyList<string>? PolicyNamesToAdd { get; init; }
    [Each(LengthMin = 1, LengthMax = 128, Pattern = Names.Policy)]
    public IReadOnlyList<string>? PolicyNamesToSkip { get; init; }
}

sealed record AuthInfo
{
    [OneOf("PUBLISH", "SUBSCRIBE", "RECEIVE", "CONNECT")]
    public string? ActionType { get; init; }
    [Each(LengthMax = 2048, Pattern = @"[\s\S]*")]
    public required IReadOnlyList<string> Resources { get; init; }
}

sealed record TestAuthorizationResponse
{
    public IReadOnlyList<AuthResult>? AuthResults { get; init; }
}

sealed record AuthResult
{
    public AuthInfo? AuthInfo { get; init; }
    public Allowed? Allowed { get; init; }
    public Denied? Denied { get; init; }
    public string? AuthDecision { get; init; }
    public IReadOnlyList<string>? MissingContextValues { get; init; }
}

sealed record Allowed
{
    public IReadOnlyList<PolicySummary>? Policies { get; init; }
}

sealed record Denied
{
    public ImplicitDeny? ImplicitDeny { get; init; }
    public ExplicitDeny? ExplicitDeny { get; init; }
}

sealed record ImplicitDeny
{
    public IReadOnlyList<PolicySummary>? Policies { get; init; }
}

sealed record ExplicitDeny
{
    public IReadOnlyList<PolicySummary>? Policies { get; init; }
}

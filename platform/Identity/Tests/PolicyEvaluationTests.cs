using Althing.Identity;
using static Althing.Tests.Identity.PolicyTables;

namespace Althing.Tests.Identity;

/// <summary>What policies allow and deny.</summary>
public sealed class PolicyEvaluationTests
{
    const string AllowTopic = """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:1:topic/a/*"}""";
    const string DenySecret = """{"Effect":"Deny","Action":"iot:*","Resource":"*secret*"}""";

    [Theory]
    [InlineData(AllowTopic, "iot:Publish", "arn:aws:iot:r:1:topic/a/b", Effect.Allow)]
    [InlineData(AllowTopic, "iot:Publish", "arn:aws:iot:r:1:topic/b/b", Effect.ImplicitDeny)]
    [InlineData(AllowTopic, "iot:Receive", "arn:aws:iot:r:1:topic/a/b", Effect.ImplicitDeny)]
    [InlineData(AllowTopic + "," + DenySecret, "iot:Publish", "arn:aws:iot:r:1:topic/a/secret", Effect.ExplicitDeny)]
    [InlineData(DenySecret + "," + AllowTopic, "iot:Publish", "arn:aws:iot:r:1:topic/a/secret", Effect.ExplicitDeny)]
    [InlineData(DenySecret, "iot:Publish", "arn:aws:iot:r:1:topic/a/b", Effect.ImplicitDeny)]
    public void An_explicit_deny_wins_and_silence_denies(string statements, string action, string resource, Effect expected) =>
        Assert.Equal(expected, Judge(Document(statements), action, resource));

    [Theory]
    [InlineData("iot:publish", "iot:Publish", true)]
    [InlineData("IOT:*", "iot:Publish", true)]
    [InlineData("iot:Pub???h", "iot:Publish", true)]
    [InlineData("iot:Pub??h", "iot:Publish", false)]
    [InlineData("*", "anything:AtAll", true)]
    [InlineData("iot:*Job*", "iot:DescribeJobExecution", true)]
    [InlineData("s3:*", "iot:Publish", false)]
    public void Actions_ignore_case_and_know_wildcards(string pattern, string action, bool allowed) =>
        Assert.Equal(allowed, Judge(Document($$"""{"Effect":"Allow","Action":"{{pattern}}","Resource":"*"}"""), action, "x") == Effect.Allow);

    [Theory]
    [InlineData("arn:aws:iot:*:*:topic/a", "arn:aws:iot:eu:1:topic/a", true)]
    [InlineData("arn:aws:iot:*:*:topic/a", "arn:aws:iot:eu:1:topic/A", false)]
    [InlineData("arn:aws:iot:*", "arn:aws:iot:eu:1:topic/a", true)]
    [InlineData("arn:aws:iot:eu:1:topic/?", "arn:aws:iot:eu:1:topic/ab", false)]
    [InlineData("arn:aws:iot:eu:1:topic/a", "arn:aws:iot:eu:1:topic/a/b", false)]
    [InlineData("arn:aws:iot:eu:1:topic/${*}", "arn:aws:iot:eu:1:topic/*", true)]
    [InlineData("arn:aws:iot:eu:1:topic/${*}", "arn:aws:iot:eu:1:topic/a", false)]
    [InlineData("arn:aws:iot:eu:1:topic/${?}${$}", "arn:aws:iot:eu:1:topic/?$", true)]
    public void Resources_heed_case_and_know_wildcards(string pattern, string resource, bool allowed) =>
        Assert.Equal(allowed, Judge(Document($$"""{"Effect":"Allow","Action":"*","Resource":"{{pattern}}"}"""), "iot:Publish", resource) == Effect.Allow);

    [Theory]
    [InlineData("""{"Effect":"Allow","NotAction":["iam:*","sts:*"],"Resource":"*"}""", "iot:Publish", "x", true)]
    [InlineData("""{"Effect":"Allow","NotAction":["iam:*","sts:*"],"Resource":"*"}""", "iam:CreateUser", "x", false)]
    [InlineData("""{"Effect":"Allow","Action":"*","NotResource":"arn:aws:iot:*:*:topic/secret"}""", "iot:Publish", "arn:aws:iot:r:1:topic/a", true)]
    [InlineData("""{"Effect":"Allow","Action":"*","NotResource":"arn:aws:iot:*:*:topic/secret"}""", "iot:Publish", "arn:aws:iot:r:1:topic/secret", false)]
    public void What_is_excluded_is_what_the_statement_is_not_about(string statement, string action, string resource, bool allowed) =>
        Assert.Equal(allowed, Judge(Document(statement), action, resource) == Effect.Allow);

    const string OwnTopic = """{"Effect":"Allow","Action":"*","Resource":"arn:aws:iot:r:1:topic/${iot:ClientId}/*"}""";

    [Theory]
    [InlineData(OwnTopic, "iot:ClientId=pump", "arn:aws:iot:r:1:topic/pump/a", true)]
    [InlineData(OwnTopic, "IOT:CLIENTID=pump", "arn:aws:iot:r:1:topic/pump/a", true)]
    [InlineData(OwnTopic, "iot:ClientId=pump", "arn:aws:iot:r:1:topic/valve/a", false)]
    [InlineData(OwnTopic, "iot:ClientId=*", "arn:aws:iot:r:1:topic/valve/a", false)]
    [InlineData(OwnTopic, "iot:ClientId=*", "arn:aws:iot:r:1:topic/*/a", true)]
    [InlineData(OwnTopic, "iot:ClientId=${other};other=pump", "arn:aws:iot:r:1:topic/pump/a", false)]
    [InlineData(OwnTopic, "", "arn:aws:iot:r:1:topic//a", false)]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"arn:aws:iot:r:1:topic/${x, 'none'}"}""", "", "arn:aws:iot:r:1:topic/none", true)]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"arn:aws:iot:r:1:topic/${x, 'none'}"}""", "x=y", "arn:aws:iot:r:1:topic/none", false)]
    public void Variables_stand_for_themselves_and_a_missing_one_makes_the_resource_match_nothing(string statement, string context, string resource, bool allowed) =>
        Assert.Equal(allowed, Judge(Document(statement), "iot:Publish", resource, context) == Effect.Allow);

    [Fact]
    public void A_missing_variable_in_one_resource_leaves_the_others()
    {
        var document = Document("""{"Effect":"Allow","Action":"*","Resource":["arn:aws:iot:r:1:topic/${nobody}","arn:aws:iot:r:1:topic/a"]}""");
        Assert.Equal(Effect.Allow, Judge(document, "iot:Publish", "arn:aws:iot:r:1:topic/a"));
    }

    [Theory]
    [InlineData("2012-10-17", "arn:aws:iot:r:1:topic/ann", true)]
    [InlineData("2008-10-17", "arn:aws:iot:r:1:topic/ann", false)]
    [InlineData("2008-10-17", "arn:aws:iot:r:1:topic/${aws:username}", true)]
    public void Only_the_newer_version_knows_variables(string version, string resource, bool allowed)
    {
        var document = Document("""{"Effect":"Allow","Action":"*","Resource":"arn:aws:iot:r:1:topic/${aws:username}"}""", version);
        Assert.Equal(allowed, Judge(document, "iot:Publish", resource, "aws:username=ann") == Effect.Allow);
    }

    [Fact]
    public void The_outcome_names_the_policies_that_decided()
    {
        var (allow, deny, silent) = (Document(AllowTopic + "," + AllowTopic), Document(DenySecret), Document("""{"Effect":"Allow","Action":"s3:*","Resource":"*"}"""));
        var judgement = PolicyEvaluator.Evaluate([silent, allow, deny, allow], new("iot:Publish", "arn:aws:iot:r:1:topic/a/secret", Context("")));
        Assert.Equal([1, 3], judgement.AllowedBy);
        Assert.Equal([2], judgement.DeniedBy);
    }

    [Theory]
    [InlineData("*", Trust.Caller)]
    [InlineData("""{"AWS":"*"}""", Trust.Caller)]
    [InlineData("""{"AWS":"111111111111"}""", Trust.Account)]
    [InlineData("""{"AWS":"arn:aws:iam::111111111111:root"}""", Trust.Account)]
    [InlineData("""{"AWS":["arn:aws:iam::222222222222:root","arn:aws:iam::111111111111:role/night"]}""", Trust.Caller)]
    [InlineData("""{"AWS":"arn:aws:sts::111111111111:assumed-role/night/s"}""", Trust.Caller)]
    [InlineData("""{"AWS":"AROAXYZ"}""", Trust.Caller)]
    [InlineData("""{"AWS":"arn:aws:iam::111111111111:role/day"}""", Trust.None)]
    [InlineData("""{"Service":"iot.amazonaws.com"}""", Trust.None)]
    public void A_trust_policy_knows_accounts_roles_sessions_and_ids(string principal, Trust expected)
    {
        var caller = new Caller
        {
            Account = new("111111111111"),
            Arn = "arn:aws:sts::111111111111:assumed-role/night/s",
            UserId = "AROAXYZ:s",
            Kind = CallerKind.AssumedRole,
            Region = "r",
            Context = Context("aws:PrincipalArn=arn:aws:iam::111111111111:role/night"),
        };
        PolicyDocument Parse(string effects) => PolicyDocument.Parse($$"""{"Version":"2012-10-17","Statement":[{{effects}}]}""", PolicyKind.Trust);
        string Statement(string effect, string who) => $$"""{"Effect":"{{effect}}","Principal":{{(who.StartsWith('{') ? who : $"\"{who}\"")}},"Action":"sts:AssumeRole"}""";
        Assert.Equal(expected, TrustPolicy.Judge(Parse(Statement("Allow", principal)), caller, "sts:AssumeRole", caller.Context));
        Assert.Equal(Trust.None, TrustPolicy.Judge(Parse(Statement("Allow", principal)), caller, "sts:TagSession", caller.Context));
        var denied = Parse(Statement("Allow", "*") + "," + Statement("Deny", principal));
        Assert.Equal(expected == Trust.None ? Trust.Caller : Trust.Denied, TrustPolicy.Judge(denied, caller, "sts:AssumeRole", caller.Context));
        Assert.Equal(principal.Contains("Service", StringComparison.Ordinal) || principal == "*", TrustPolicy.TrustsService(Parse(Statement("Allow", principal)), "iot.amazonaws.com", Context("")));
    }
}

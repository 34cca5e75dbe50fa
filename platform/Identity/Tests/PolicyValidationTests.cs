using Althing.Identity;

namespace Althing.Tests.Identity;

/// <summary>What an editor shows beside a policy as it is typed.</summary>
public sealed class PolicyValidationTests
{
    static IReadOnlyList<string> Shown(string json, PolicyKind kind = PolicyKind.Iot) =>
        [.. PolicyDocument.Validate(json, kind).Select(p => $"{p.Line}:{p.Column} {p.Severity} {p.Message}")];

    static string Iot(string action, string resource) => $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":{{action}},"Resource":{{resource}}}]}""";

    static void Shows(string json, string expected, PolicyKind kind = PolicyKind.Iot) =>
        Assert.Contains(Shown(json, kind), p => p.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public void A_good_policy_has_no_problems()
    {
        Assert.Empty(Shown("""
            {
              "Version": "2012-10-17",
              "Statement": [
                {"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:eu-west-1:000000000000:client/${iot:Connection.Thing.ThingName}"},
                {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": "arn:aws:iot:eu-west-1:000000000000:topic/${iot:ClientId}/*"},
                {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "arn:aws:iot:*:*:topicfilter/${iot:Connection.Thing.Attributes[site]}/#"},
                {"Effect": "Allow", "Action": "iot:ListRetainedMessages", "Resource": "*"},
                {"Effect": "Deny", "Action": "iot:*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
              ]
            }
            """));
    }

    [Fact]
    public void Every_error_is_shown_at_its_place_in_the_order_of_the_text()
    {
        var shown = Shown("""
            {
              "Statement": [
                {"Effect": "Perhaps", "Action": "iot:Fly", "Resource": "arn:aws:iot:r:1:topic/a"},
                {"Effect": "Allow", "Action": "iot:Publish"}
              ]
            }
            """);
        Assert.Equal(
        [
            "1:1 Warning Version is missing: write \"Version\": \"2012-10-17\", the version that knows variables.",
            "3:16 Error Effect is 'Perhaps': write \"Allow\" or \"Deny\".",
            "3:37 Error Action 'iot:Fly' names no action of devices; iot:Connect, iot:Publish, iot:Subscribe and iot:Receive are among them.",
            "4:5 Error Resource is missing: give an ARN, a pattern of ARNs, or \"*\".",
        ], shown.Where(s => !s.Contains("fits none", StringComparison.Ordinal) && !s.Contains("every resource", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("\"*\"", "\"*\"", "Action \"*\" allows everything")]
    [InlineData("\"iot:Publish\"", "\"*\"", "Resource \"*\" is every resource")]
    [InlineData("\"iot:Connect\"", "\"arn:aws:iot:r:1:topic/a\"", "'topic/…' fits none of the statement's actions: iot:Connect is judged on client/….")]
    [InlineData("\"iot:Subscribe\"", "\"arn:aws:iot:r:1:topic/a\"", "iot:Subscribe is judged on topicfilter/…")]
    [InlineData("[\"iot:Publish\",\"iot:Subscribe\"]", "\"arn:aws:iot:r:1:topic/a\"", "iot:Subscribe has no effect")]
    [InlineData("\"iot:Publish\"", "\"arn:aws:iot:r:1:topic/a/#\"", "write * instead")]
    [InlineData("\"iot:Publish\"", "\"arn:aws:iot:r:1:topic/${iot:Thing}\"", "${iot:Thing} is no variable")]
    public void What_is_valid_but_doubtful_is_a_warning(string action, string resource, string expected)
    {
        Shows(Iot(action, resource), expected);
        Assert.All(PolicyDocument.Validate(Iot(action, resource), PolicyKind.Iot), p => Assert.Equal(PolicySeverity.Warning, p.Severity));
    }

    [Fact]
    public void Length_is_counted_without_white_space()
    {
        string Of(int length) => Iot("\"iot:Publish\"", "\"arn:aws:iot:r:1:topic/" + new string('a', length - Iot("\"iot:Publish\"", "\"arn:aws:iot:r:1:topic/\"").Length) + "\"");
        Assert.Empty(Shown(Of(2048) + new string('\n', 500)));
        Assert.Equal("1:1 Error The policy has 2049 characters besides white space; 2048 are allowed.", Assert.Single(Shown(Of(2049))));
        Assert.Empty(PolicyDocument.Validate(Of(2049), PolicyKind.Identity));
        Assert.Single(PolicyDocument.Validate(Of(2049), PolicyKind.Identity, charactersMax: 2048));
    }

    [Fact]
    public void A_syntax_error_is_shown_where_it_is_and_columns_count_as_editors_do()
    {
        Assert.StartsWith("2:17 Error This is not valid JSON: ", Assert.Single(Shown("{\n  \"ü😀\": \"x\",   ,\n}")));
    }

    [Fact]
    public void Other_kinds_have_warnings_of_their_own()
    {
        Shows("""{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}""", "Everybody, of every account", PolicyKind.Trust);
        Shows("""{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"arn:aws:iot:*:*:*"}}""", "Allow with Not… allows all", PolicyKind.Identity);
        Shows("""{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}""", "Sid 'a' is there twice", PolicyKind.Identity);
    }
}

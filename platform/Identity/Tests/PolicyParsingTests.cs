using Althing.Identity;
using CsCheck;

namespace Althing.Tests.Identity;

/// <summary>Texts that are no policies, some of them on purpose.</summary>
public sealed class PolicyParsingTests
{
    static PolicyFormatException Refused(string json, PolicyKind kind = PolicyKind.Identity) => Assert.Throws<PolicyFormatException>(() => PolicyDocument.Parse(json, kind));

    [Theory]
    [InlineData("", 1, 1)]
    [InlineData("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [ oops ]\n}", 3, 18)]
    [InlineData("{\"a\": \"ü\", x}", 1, 12)]
    [InlineData("{\"Version\":\"2012-10-17\",\"Version\":\"2012-10-17\"}", 1, 25)]
    [InlineData("{\"Version\":\"\\ud800\"}", 1, 12)]
    [InlineData("{} {}", 1, 4)]
    [InlineData("[[[[[[[[[[[[[[[[[[[[", 1, 17)]
    [InlineData("{/* a remark */}", 1, 2)]
    public void What_is_no_json_is_refused_with_its_place(string json, int line, int column)
    {
        var refusal = Refused(json);
        Assert.StartsWith($"The policy is not valid JSON: line {line}, column {column}: ", refusal.Message);
        Assert.Equal((line, column), (refusal.Line, refusal.Column));
    }

    [Theory]
    [InlineData("[]", null, "The policy must be a JSON object")]
    [InlineData("{}", null, "Statement is missing")]
    [InlineData("""{"Version":"2020-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}""", null, "Version must be \"2012-10-17\"")]
    [InlineData("""{"Statement":[]}""", null, "Statement must be an object or an array of 1 to 200 objects")]
    [InlineData("""{"Statement":[7]}""", 0, "Statement 1: A statement must be a JSON object")]
    [InlineData("""{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}""", 0, "Statement 1: Effect is 'allow'")]
    [InlineData("""{"Statement":{"Action":"*","Resource":"*"}}""", 0, "Statement 1: Effect is missing")]
    [InlineData("""{"Statement":{"Effect":"Allow","Resource":"*"}}""", 0, "Statement 1: Action is missing")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"*"}}""", 0, "Statement 1: Resource is missing")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}""", 0, "Statement 1: Action is an empty array")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"Publish","Resource":"*"}}""", 0, "Statement 1: Action 'Publish' is not an action")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":{"a":1},"Resource":"*"}}""", 0, "Statement 1: Action must be a string")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}}""", 0, "Statement 1: It has both Action and NotAction")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"*","Resource":"topic/a"}}""", 0, "Statement 1: Resource 'topic/a' is not an ARN")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:iot"}}""", 0, "Statement 1: Resource 'arn:aws:iot' is not a whole ARN")]
    [InlineData("""{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:iot:r:1:topic/${a"}}""", 0, "Statement 1: Resource 'arn:aws:iot:r:1:topic/${a': A variable")]
    [InlineData("""{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"k":"${a"}}}}""", 0, "Statement 1: A variable")]
    [InlineData("""{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}""", 0, "Statement 1: 'Principal' is not allowed")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Equals":{}}}}""", 0, "Statement 1: 'Equals' is not a condition operator")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NullIfExists":{}}}}""", 0, "Statement 1: 'NullIfExists' is not a condition operator")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":[]}}}""", 0, "Statement 1: Bool must be an object")]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"k":null}}}}""", 0, "Statement 1: k must be a string")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Extra":1}]}""", 1, "Statement 2: 'Extra' is not allowed")]
    public void What_is_no_policy_is_refused_with_its_statement(string json, int? statement, string message)
    {
        var refusal = Refused(json);
        Assert.StartsWith(message, refusal.Message);
        Assert.Equal(statement, refusal.Statement);
    }

    [Theory]
    [InlineData("""{"Effect":"Allow","Action":"sts:AssumeRole"}""", "Principal is missing")]
    [InlineData("""{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{}}""", "Principal must be")]
    [InlineData("""{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::111111111111:user/*"}}""", "Principal 'arn:aws:iam::111111111111:user/*' is neither")]
    [InlineData("""{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Everyone":"x"}}""", "Principal has a member 'Everyone'")]
    [InlineData("""{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*"}""", "'Resource' is not allowed")]
    public void A_trust_policy_names_whole_principals_and_no_resource(string statement, string message) =>
        Assert.StartsWith("Statement 1: " + message, Refused($$"""{"Version":"2012-10-17","Statement":{{statement}}}""", PolicyKind.Trust).Message);

    [Fact]
    public void A_long_text_and_many_statements_are_read_or_refused_in_good_time()
    {
        const string one = """{"Effect":"Allow","Action":"*","Resource":"*"}""";
        Assert.Equal(200, PolicyDocument.Parse($$"""{"Statement":[{{string.Join(',', Enumerable.Repeat(one, 200))}}]}""").Statements.Count);
        Refused($$"""{"Statement":[{{string.Join(',', Enumerable.Repeat(one, 201))}}]}""");
        Refused(new string(' ', 1_000_000));
        Refused($$"""{"Statement":"{{new string('x', 1_000_000)}}"}""");
    }

    [Fact]
    public void Any_text_is_a_policy_or_a_refusal_and_the_editor_agrees()
    {
        const string good = """{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["iot:Publish"],"Resource":["arn:aws:iot:r:1:topic/${iot:ClientId}"],"Condition":{"Bool":{"k":[true,"x"]}}}]}""";
        string[] pieces = ["\"", "{", "}", "[", "]", ",", ":", "\\", "\\ud800", "${", "*", "null", "1e999", "\u0000", "ü", "\n", "Effect", "\ud83d"];
        Gen.Select(Gen.Int[0, good.Length], Gen.Int[0, 20], Gen.OneOf(pieces).Array[0, 3], Gen.Enum<PolicyKind>()).Sample((at, cut, added, kind) =>
        {
            var json = good[..at] + string.Concat(added) + good[Math.Min(good.Length, at + cut)..];
            PolicyFormatException? refusal = null;
            try
            {
                PolicyDocument.Parse(json, kind);
            }
            catch (PolicyFormatException caught)
            {
                refusal = caught;
            }
            var errors = PolicyDocument.Validate(json, kind).Where(p => p.Severity == PolicySeverity.Error).ToList();
            Assert.Equal(refusal is null, errors.Count == 0);
            Assert.All(errors, e => Assert.True(e is { Line: >= 1, Column: >= 1 }));
        }, iter: 20_000);
    }
}

using Althing.Identity;
using static Althing.Tests.Identity.PolicyTables;

namespace Althing.Tests.Identity;

/// <summary>Each operator of conditions.</summary>
public sealed class ConditionTests
{
    static bool Holds(string test, string key, string values, string context) =>
        Judge(Document($$"""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"{{test}}":{"{{key}}": {{values}} } } }"""), "a:B", "x", context) == Effect.Allow;

    [Theory]
    [InlineData("StringEquals", "\"ann\"", "k=ann", true)]
    [InlineData("StringEquals", "\"ann\"", "k=Ann", false)]
    [InlineData("StringEquals", "[\"bob\",\"ann\"]", "k=ann", true)]
    [InlineData("StringEquals", "\"a*\"", "k=ann", false)]
    [InlineData("stringequals", "\"ann\"", "k=ann", true)]
    [InlineData("StringNotEquals", "[\"bob\",\"ann\"]", "k=ann", false)]
    [InlineData("StringNotEquals", "[\"bob\",\"ann\"]", "k=eve", true)]
    [InlineData("stringnotequals", "\"ann\"", "k=ann", false)]
    [InlineData("StringEqualsIgnoreCase", "\"ANN\"", "k=ann", true)]
    [InlineData("StringNotEqualsIgnoreCase", "\"ANN\"", "k=ann", false)]
    [InlineData("StringLike", "\"a?n*\"", "k=anna", true)]
    [InlineData("StringLike", "\"a?n\"", "k=anna", false)]
    [InlineData("StringNotLike", "\"a*\"", "k=bob", true)]
    [InlineData("StringEquals", "\"${u}-1\"", "k=ann-1;u=ann", true)]
    [InlineData("StringEquals", "\"${u}-1\"", "k=ann-1", false)]
    [InlineData("StringEqualsIgnoreCase", "\"${u}\"", "k=ANN;u=ann", true)]
    [InlineData("StringLike", "\"${u}\"", "k=anything;u=*", false)]
    [InlineData("StringEquals", "\"${$}{u}\"", "k=${u};u=x", true)]
    [InlineData("BinaryEquals", "\"QmluYXJ5\"", "k=QmluYXJ5", true)]
    public void Strings(string test, string values, string context, bool expected) => Assert.Equal(expected, Holds(test, "k", values, context));

    [Theory]
    [InlineData("NumericEquals", "7", "7.0", true)]
    [InlineData("NumericNotEquals", "7", "7.0", false)]
    [InlineData("NumericLessThan", "7", "6.9", true)]
    [InlineData("NumericLessThan", "7", "7", false)]
    [InlineData("NumericLessThanEquals", "7", "7", true)]
    [InlineData("NumericGreaterThan", "\"-1e2\"", "0", true)]
    [InlineData("NumericGreaterThanEquals", "7", "6", false)]
    [InlineData("NumericEquals", "7", "seven", false)]
    [InlineData("NumericLessThan", "7", "NaN", false)]
    [InlineData("NumericGreaterThan", "7", "1,000", false)]
    [InlineData("DateEquals", "\"2026-05-01T12:00:00Z\"", "1777636800", true)]
    [InlineData("DateNotEquals", "\"2026-05-01T12:00:00Z\"", "2026-05-01T12:00:00Z", false)]
    [InlineData("DateLessThan", "\"2026-05-01T12:00:00Z\"", "2026-05-01T14:59:59+03:00", true)]
    [InlineData("DateLessThanEquals", "\"2026-05-01\"", "2026-05-01T00:00:00Z", true)]
    [InlineData("DateGreaterThan", "\"2026-05-01T12:00:00Z\"", "2026-05-01T12:00:00Z", false)]
    [InlineData("DateGreaterThanEquals", "\"2026-05-01T12:00:00Z\"", "2026-05-01T12:00:00Z", true)]
    [InlineData("DateGreaterThan", "\"2026-05-01T12:00:00Z\"", "99999999999999999", false)]
    [InlineData("DateGreaterThan", "\"soon\"", "2026-05-01T12:00:00Z", false)]
    [InlineData("Bool", "true", "true", true)]
    [InlineData("Bool", "\"True\"", "true", true)]
    [InlineData("Bool", "\"false\"", "true", false)]
    [InlineData("Bool", "\"perhaps\"", "perhaps", false)]
    public void Numbers_dates_and_truth(string test, string values, string actual, bool expected) => Assert.Equal(expected, Holds(test, "k", values, $"k={actual}"));

    [Theory]
    [InlineData("IpAddress", "\"10.0.0.0/8\"", "10.9.8.7", true)]
    [InlineData("IpAddress", "\"10.1.2.3/8\"", "10.9.8.7", true)]
    [InlineData("IpAddress", "\"10.0.0.0/8\"", "11.0.0.1", false)]
    [InlineData("IpAddress", "\"10.0.0.0/8\"", "::ffff:10.9.8.7", true)]
    [InlineData("IpAddress", "\"192.0.2.7\"", "192.0.2.7", true)]
    [InlineData("IpAddress", "\"192.0.2.7\"", "192.0.2.8", false)]
    [InlineData("IpAddress", "[\"192.0.2.7\",\"2001:db8::/32\"]", "2001:db8:1::1", true)]
    [InlineData("IpAddress", "\"2001:db8::/33\"", "2001:db8:8000::1", false)]
    [InlineData("IpAddress", "\"0.0.0.0/0\"", "2001:db8::1", false)]
    [InlineData("IpAddress", "\"10.0.0.0/33\"", "10.0.0.0", false)]
    [InlineData("IpAddress", "\"here\"", "10.0.0.0", false)]
    [InlineData("NotIpAddress", "\"10.0.0.0/8\"", "10.9.8.7", false)]
    [InlineData("NotIpAddress", "\"10.0.0.0/8\"", "11.0.0.1", true)]
    public void Addresses(string test, string values, string actual, bool expected) => Assert.Equal(expected, Holds(test, "aws:SourceIp", values, $"aws:SourceIp={actual}"));

    [Theory]
    [InlineData("ArnLike", "arn:aws:iot:*:1:thing/*", "arn:aws:iot:eu:1:thing/a:b", true)]
    [InlineData("ArnEquals", "arn:aws:iot:*:1:thing/?", "arn:aws:iot:eu:1:thing/a", true)]
    [InlineData("ArnLike", "arn:aws:iot:*:thing/a", "arn:aws:iot:eu:1:thing/a", false)]
    [InlineData("ArnLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/ann", true)]
    [InlineData("ArnNotLike", "arn:aws:iot:*:1:thing/*", "arn:aws:iot:eu:2:thing/a", true)]
    [InlineData("ArnNotEquals", "arn:aws:iot:eu:1:thing/a", "arn:aws:iot:eu:1:thing/a", false)]
    [InlineData("ArnLike", "*", "arn:aws:iot:eu:1:thing/a", false)]
    public void Arns_are_compared_part_by_part(string test, string wanted, string actual, bool expected) =>
        Assert.Equal(expected, Holds(test, "k", $"\"{wanted}\"", $"k={actual};aws:username=ann"));

    [Theory]
    [InlineData("StringEquals", false)]
    [InlineData("StringNotEquals", true)]
    [InlineData("StringEqualsIfExists", true)]
    [InlineData("IpAddress", false)]
    [InlineData("NotIpAddress", true)]
    [InlineData("NumericLessThan", false)]
    [InlineData("NumericLessThanIfExists", true)]
    [InlineData("ForAllValues:StringEquals", true)]
    [InlineData("ForAnyValue:StringEquals", false)]
    [InlineData("ForAnyValue:StringNotEquals", false)]
    public void A_key_that_is_not_there(string test, bool expected) => Assert.Equal(expected, Holds(test, "k", "\"1\"", ""));

    [Theory]
    [InlineData("true", "", true)]
    [InlineData("true", "k=1", false)]
    [InlineData("\"false\"", "k=1", true)]
    [InlineData("false", "", false)]
    public void Null_asks_whether_a_key_is_there(string value, string context, bool expected) => Assert.Equal(expected, Holds("Null", "k", value, context));

    [Theory]
    [InlineData("ForAllValues:StringEquals", "a\u001fb", true)]
    [InlineData("ForAllValues:StringEquals", "a\u001fc", false)]
    [InlineData("ForAnyValue:StringEquals", "c\u001fb", true)]
    [InlineData("ForAnyValue:StringEquals", "c\u001fd", false)]
    [InlineData("ForAllValues:StringNotEquals", "c\u001fd", true)]
    [InlineData("ForAnyValue:StringNotEquals", "a\u001fd", true)]
    [InlineData("StringEquals", "a\u001fevil", false)]
    public void Keys_of_several_values(string test, string actual, bool expected) => Assert.Equal(expected, Holds(test, "k", "[\"a\",\"b\"]", $"k={actual}"));

    [Fact]
    public void Keys_ignore_case_and_all_lines_must_hold()
    {
        Assert.True(Holds("StringEquals", "AWS:UserName", "\"ann\"", "aws:username=ann"));
        var document = Document("""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a":"1","b":"2"},"Bool":{"c":"true"}}}""");
        Assert.Equal(Effect.Allow, Judge(document, "a:B", "x", "a=1;b=2;c=true"));
        foreach (var context in new[] { "a=1;b=3;c=true", "a=1;b=2;c=false", "a=1;b=2" })
            Assert.Equal(Effect.ImplicitDeny, Judge(document, "a:B", "x", context));
        // A dictionary that heeds case is searched as well.
        Assert.Equal(Effect.Allow, PolicyEvaluator.Evaluate([document], new("a:B", "x", new Dictionary<string, string> { ["A"] = "1", ["B"] = "2", ["C"] = "true" })).Effect);
    }
}

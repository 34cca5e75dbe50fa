using System.Text.Json.Nodes;
using Althing.Core.Console;

namespace Althing.Tests.Core;

public sealed class ShadowEditingTests
{
    [Theory]
    [InlineData("""{"desired":{"a":1,"b":{"c":1,"d":2}}}""", """{"desired":{"a":1,"b":{"c":3}}}""", """{"desired":{"b":{"d":null,"c":3}}}""")]
    [InlineData("""{"desired":{"a":1},"reported":{"a":1}}""", """{"reported":{"a":1}}""", """{"desired":null}""")]
    [InlineData("""{"desired":{"a":1},"reported":{"a":1}}""", """{"desired":{},"reported":{"a":1}}""", """{"desired":null}""")]
    [InlineData("""{"desired":{"a":[1,2]}}""", """{"desired":{"a":[1]}}""", """{"desired":{"a":[1]}}""")]
    [InlineData("""{"desired":{"a":1}}""", """{"desired":{"a":{"x":1}}}""", """{"desired":{"a":{"x":1}}}""")]
    [InlineData("""{"desired":{"a":1}}""", """{"desired":{"a":1}}""", "{}")]
    [InlineData(null, """{"desired":{"a":1}}""", """{"desired":{"a":1}}""")]
    public void A_patch_makes_the_state_what_was_written(string? before, string text, string patch) =>
        Assert.Equal(patch, ShadowEditing.Patch(before is null ? null : JsonNode.Parse(before), text).ToJsonString());

    [Theory]
    [InlineData("{", 1)]
    [InlineData("{\n\"desired\": x}", 2)]
    [InlineData("[]", 1)]
    [InlineData("""{"delta":{}}""", 0)]
    [InlineData("""{"desired":7}""", 0)]
    [InlineData("""{"desired":{"a":1,"a":2}}""", 1)]
    public void What_cannot_be_saved_is_said_where_it_stands(string text, int line) => Assert.Equal(line, Assert.Single(ShadowEditing.Check(text)).Line);

    [Fact]
    public void Values_are_listed_by_their_paths_with_what_differs_and_when_they_changed()
    {
        var document = JsonNode.Parse("""
            {"state":{"desired":{"on":true,"valve":{"open":true,"list":[1]}},"reported":{"on":true,"valve":{"open":false},"text":"x"}},
             "metadata":{"desired":{"on":{"timestamp":5},"valve":{"open":{"timestamp":6},"list":[{"timestamp":7}]}},
                         "reported":{"on":{"timestamp":9},"valve":{"open":{"timestamp":2}},"text":{"timestamp":1}}}}
            """)!;
        Assert.Equal(
        [
            new("on", "true", "true", false, 9),
            new("text", null, "\"x\"", false, 1),
            new("valve.list", "[1]", null, true, 7),
            new("valve.open", "true", "false", true, 6),
        ], ShadowEditing.Values(document));
    }
}

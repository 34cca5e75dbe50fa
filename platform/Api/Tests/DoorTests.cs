using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Althing.Tests.Api;

/// <summary>The door through real sockets: what goes in, what comes out.</summary>
public sealed class DoorTests(ToyHouse house) : IClassFixture<ToyHouse>
{
    static async Task<JsonNode> Json(HttpResponseMessage response) => JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

    static async Task Refused(HttpResponseMessage response, int status, string code)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {body}");
        Assert.Equal(code, response.Headers.GetValues("x-amzn-ErrorType").Single());
        Assert.NotEmpty(JsonNode.Parse(body)!["message"]!.GetValue<string>());
        Assert.NotEmpty(response.Headers.GetValues("x-amzn-RequestId").Single());
    }

    [Fact]
    public async Task A_signed_call_is_answered_with_its_members_and_a_request_id()
    {
        var account = await house.NewAccount();
        var put = await account.Send("PUT", "/toys/ball", """{"size":3,"unknown":{"deep":[1]}}""");
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        var made = await Json(put);
        Assert.Equal($"arn:aws:toy:eu-north-1:{account.Id}:toy/ball", made["toyArn"]!.GetValue<string>());
        Assert.Equal(1.5, made["made"]!.GetValue<double>());
        Assert.False(made.AsObject().ContainsKey("missing"));
        Assert.NotEmpty(put.Headers.GetValues("x-amzn-RequestId").Single());

        var got = await account.Send("GET", "/toys/ball?verbose=true", before: r => r.Headers.Add("x-toy-tag", "blue"));
        Assert.Equal("blue", got.Headers.GetValues("x-toy-tag").Single());
        Assert.Equal("""{"name":"ball","size":3,"verbose":true}""", await got.Content.ReadAsStringAsync());

        Assert.Equal(HttpStatusCode.NoContent, (await account.Send("DELETE", "/toys/ball")).StatusCode);
        await Refused(await account.Send("GET", "/toys/ball"), 404, "ResourceNotFoundException");
    }

    [Fact]
    public async Task Labels_are_decoded_once_from_the_raw_target()
    {
        var account = await house.NewAccount();
        var put = await Json(await account.Send("PUT", "/toys/a%2Fb%20c%3A%E2%98%83", "{}"));
        Assert.Equal("a/b c:☃", put["toyName"]!.GetValue<string>());
        var echo = await account.Send("POST", "/echo/x/y%252Fz", [1, 2, 3, 255], "toydata");
        Assert.Equal(HttpStatusCode.Accepted, echo.StatusCode);
        Assert.Equal("x%2Fy%252Fz", echo.Headers.GetValues("x-toy-path").Single());
        Assert.Equal([1, 2, 3, 255], await echo.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task An_api_that_shares_a_signing_name_is_found_by_its_route()
    {
        var account = await house.NewAccount();
        Assert.Equal(HttpStatusCode.Accepted, (await account.Send("POST", "/echo/x", [1], "toy")).StatusCode);
    }

    [Fact]
    public async Task What_nobody_signed_is_refused_and_pages_are_left_alone()
    {
        using var unsigned = await house.Http.GetAsync(new Uri(house.Address, "/toys/ball"));
        await Refused(unsigned, 403, "MissingAuthenticationTokenException");
        using var browser = new HttpRequestMessage(HttpMethod.Get, new Uri(house.Address, "/toys/ball"));
        browser.Headers.Accept.ParseAdd("text/html,application/xhtml+xml");
        Assert.Equal("a page", await (await house.Http.SendAsync(browser)).Content.ReadAsStringAsync());
        Assert.Equal("a page", await house.Http.GetStringAsync(house.Address));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("null")]
    [InlineData("""{"size":"three"}""")]
    [InlineData("""{"size":3.5}""")]
    [InlineData("""{"size":99999999999999999999}""")]
    [InlineData("""{"size":0}""")]
    [InlineData("""{"size":11}""")]
    [InlineData("""{"size":[]}""")]
    [InlineData("""{"size":1,"size":2}""")]
    [InlineData("""{"colour":"GREEN"}""")]
    [InlineData("""{"colour":{"a":1}}""")]
    [InlineData("""{"labels":["fives"]}""")]
    [InlineData("""{"labels":[null]}""")]
    [InlineData("""{"labels":{"a":1}}""")]
    [InlineData("""{"part":{}}""")]
    [InlineData("""{"part":{"name":null}}""")]
    [InlineData("""{"colour":"\ud800"}""")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"part":{"name":"x","\udc00":{"\ud800":1}}}""")]
    [InlineData("{\"size\":1")]
    [InlineData("{\"size\":1}}")]
    [InlineData("{\"size\":NaN}")]
    public async Task Bad_bodies_get_the_apis_own_refusal(string body)
    {
        var account = await house.NewAccount();
        await Refused(await account.Send("PUT", "/toys/ball", body), 400, "InvalidRequestException");
    }

    [Fact]
    public async Task Bytes_that_are_no_text_nests_without_end_and_floods_are_refused()
    {
        var account = await house.NewAccount();
        await Refused(await account.Send("PUT", "/toys/ball", [(byte)'{', (byte)'"', 0xFF, 0xC0, (byte)'"', (byte)':', (byte)'1', (byte)'}'], "toy"), 400, "InvalidRequestException");
        var deep = string.Concat(Enumerable.Repeat("""{"part":""", 500)) + "1" + new string('}', 500);
        await Refused(await account.Send("PUT", "/toys/ball", deep), 400, "InvalidRequestException");
        await Refused(await account.Send("PUT", "/toys/ball", $$"""{"colour":"{{new string('x', 70_000)}}"}"""), 400, "InvalidRequestException");
    }

    [Theory]
    [InlineData("/toys/ball?verbose=perhaps")]
    [InlineData("/toys/")]
    [InlineData("/toys/ball/more")]
    [InlineData("/nothing")]
    [InlineData("/toys/%2e%2e")]
    public async Task Odd_targets_are_refused_and_never_fail(string target)
    {
        var account = await house.NewAccount();
        var response = await account.Send("GET", target);
        Assert.InRange((int)response.StatusCode, 400, 499);
    }

    [Fact]
    public async Task A_path_with_dot_segments_matches_nothing()
    {
        var reply = await house.Raw($"GET /toys/../toys/ball HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=A/20260501/r/toy/aws4_request, SignedHeaders=host, Signature=0\r\nX-Amz-Date: 20260501T120000Z\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 403", reply);
        Assert.Null(new Althing.Api.OperationCatalog([typeof(ToyHouse).Assembly], house.Services).Match(ToyRest.Definition, "GET", "/toys/../toys/ball"));
    }

    [Fact]
    public async Task A_failure_inside_leaks_nothing()
    {
        var account = await house.NewAccount();
        var response = await account.Send("PUT", "/toys/broken", "{}");
        await Refused(response, 500, "InternalFailureException");
        var body = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("secret", body);
        Assert.Contains(response.Headers.GetValues("x-amzn-RequestId").Single(), body);
    }

    [Fact]
    public async Task A_body_that_ends_early_is_refused_or_the_connection_closed_and_the_door_stays_open()
    {
        var reply = await house.Raw("PUT /toys/ball HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nX-Amz-Date: 20260501T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=A/20260501/r/toy/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{\"size\"", hangUp: true);
        Assert.DoesNotContain(" 500 ", reply);
        Assert.DoesNotContain(" 200 ", reply);
        var account = await house.NewAccount();
        Assert.Equal(HttpStatusCode.OK, (await account.Send("PUT", "/toys/ball", "{}")).StatusCode);
    }

    [Fact]
    public async Task Aws_json_is_chosen_by_the_target_and_names_errors_in_the_body()
    {
        var account = await house.NewAccount();
        await account.Send("PUT", "/toys/ball", "{}");
        var counted = await account.Send("POST", "/", "{}", "toyjson", r => r.Headers.Add("X-Amz-Target", "ToyService.CountToys"));
        Assert.Equal("""{"count":1}""", await counted.Content.ReadAsStringAsync());
        Assert.Equal("application/x-amz-json-1.0", counted.Content.Headers.ContentType!.ToString());
        var bad = await account.Send("POST", "/", """{"prefix":1}""", "toyjson", r => r.Headers.Add("X-Amz-Target", "ToyService.CountToys"));
        Assert.Equal("ValidationException", (await Json(bad))["__type"]!.GetValue<string>());
        var unknown = await account.Send("POST", "/", "{}", "toyjson", r => r.Headers.Add("X-Amz-Target", "ToyService.Fly"));
        Assert.Equal("UnknownOperationException", (await Json(unknown))["__type"]!.GetValue<string>());
        var unsigned = await account.Send("POST", "/", "{}", "toyjson", after: r => r.Headers.Add("X-Amz-Target", "ToyService.CountToys"));
        Assert.Equal("InvalidSignatureException", (await Json(unsigned))["__type"]!.GetValue<string>());
    }

    [Fact]
    public async Task Aws_query_reads_lists_and_answers_in_xml()
    {
        var account = await house.NewAccount();
        var form = "Action=ListParts&Version=2020-01-01&Number=7&Names.member.2=b&Names.member.1=a%20%26&Tags.member.1.Key=k&Tags.member.1.Value=v&Ignored=1";
        var response = await account.Send("POST", "/", form, "toyquery");
        var xml = System.Xml.Linq.XDocument.Parse(await response.Content.ReadAsStringAsync()).Root!;
        System.Xml.Linq.XNamespace ns = ToyQuery.Definition.XmlNamespace!;
        Assert.Equal(ns + "ListPartsResponse", xml.Name);
        var result = xml.Element(ns + "ListPartsResult")!;
        Assert.Equal(["a &", "b"], result.Element(ns + "Names")!.Elements(ns + "member").Select(m => m.Value));
        Assert.Equal(["k=v"], result.Element(ns + "Keys")!.Elements(ns + "member").Select(m => m.Value));
        Assert.Equal("1970-01-01T00:00:00Z", result.Element(ns + "Until")!.Value);
        Assert.Equal("true", result.Element(ns + "Big")!.Value);
        Assert.NotEmpty(xml.Element(ns + "ResponseMetadata")!.Element(ns + "RequestId")!.Value);
    }

    [Theory]
    [InlineData("Action=ListParts&Names.member.1=y&Names.member.1.Key=z")]
    [InlineData("Action=ListParts&Tags.member.0.Key=z")]
    [InlineData("Action=ListParts&Tags.member.99999999.Key=z")]
    [InlineData("Action=ListParts&Number=seven")]
    [InlineData("Action=ListParts&Name.a.b.c.d=1")]
    [InlineData("Action=Fly")]
    [InlineData("Action=ListParts&Version=1999-01-01")]
    [InlineData("")]
    [InlineData("%%%&&==%00")]
    public async Task Odd_forms_are_refused_in_xml(string form)
    {
        var account = await house.NewAccount();
        var response = await account.Send("POST", "/", form, "toyquery");
        Assert.InRange((int)response.StatusCode, 400, 499);
        Assert.Equal("ErrorResponse", System.Xml.Linq.XDocument.Parse(await response.Content.ReadAsStringAsync()).Root!.Name.LocalName);
    }

    [Fact]
    public async Task Aws_query_writes_any_message_and_has_its_own_names_for_signature_errors()
    {
        var account = await house.NewAccount();
        var refused = await (await account.Send("POST", "/", "Action=ListParts&Name=refused", "toyquery")).Content.ReadAsStringAsync();
        Assert.Contains("<Code>NoSuchEntity</Code><Message>No \uFFFD such &lt;toy&gt;.</Message>", refused);
        var wrong = await (account with { Secret = new("wrong") }).Send("POST", "/", "Action=ListParts", "toyquery");
        Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
        Assert.Contains("<Type>Sender</Type><Code>SignatureDoesNotMatch</Code>", await wrong.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Random_bytes_with_a_good_signature_never_make_the_door_fail()
    {
        var account = await house.NewAccount();
        var random = new Random(20260501);
        for (var i = 0; i < 200; i++)
        {
            var body = new byte[random.Next(0, 200)];
            random.NextBytes(body);
            if (i % 2 == 0)
                body = Encoding.UTF8.GetBytes(Mangle(random, """{"size":3,"colour":"RED","labels":["a","b"],"part":{"name":"p\u00e9","part":null}}"""));
            var response = await account.Send("PUT", "/toys/ball", body, "toy");
            Assert.InRange((int)response.StatusCode, 200, 499);
        }
    }

    static string Mangle(Random random, string json)
    {
        var text = new StringBuilder(json);
        for (var n = random.Next(1, 4); n > 0; n--)
            text[random.Next(text.Length)] = (char)random.Next(1, 0x2700);
        return text.ToString();
    }
}

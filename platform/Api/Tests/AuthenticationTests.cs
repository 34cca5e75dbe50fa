using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Api.SigV4;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Api;

/// <summary>Whom the door lets in.</summary>
public sealed class AuthenticationTests(ToyHouse house) : IClassFixture<ToyHouse>
{
    static async Task<string> Refused(HttpResponseMessage response, string code)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Forbidden, $"{(int)response.StatusCode} {body}");
        Assert.Equal(code, response.Headers.GetValues("x-amzn-ErrorType").Single());
        return JsonNode.Parse(body)!["message"]!.GetValue<string>();
    }

    [Fact]
    public async Task An_unknown_key_and_a_wrong_secret_are_told_apart_as_aws_does()
    {
        var account = await house.NewAccount();
        await Refused(await (account with { KeyId = "AKIAUNKNOWN" }).Send("GET", "/toys/x"), "UnrecognizedClientException");
        var message = await Refused(await (account with { Secret = new("wrong") }).Send("GET", "/toys/x"), "InvalidSignatureException");
        Assert.StartsWith("The request signature we calculated does not match the signature you provided.", message);
    }

    [Fact]
    public async Task What_was_changed_after_signing_is_refused()
    {
        var account = await house.NewAccount();
        await Refused(await account.Send("PUT", "/toys/x", "{}", after: r => r.Content = new StringContent("""{"size":1}""")), "InvalidSignatureException");
        await Refused(await account.Send("PUT", "/toys/x", "{}", after: r => r.RequestUri = new(house.Address, "/toys/y")), "InvalidSignatureException");
        await Refused(await account.Send("GET", "/toys/x", after: r => r.RequestUri = new(house.Address, "/toys/x?verbose=true")), "InvalidSignatureException");
        await Refused(await account.Send("GET", "/toys/x", after: r => r.Method = HttpMethod.Delete), "InvalidSignatureException");
        await Refused(await account.Send("GET", "/toys/x", after: r => r.Headers.Host = "other.example.com"), "InvalidSignatureException");
    }

    [Theory]
    [InlineData(-301, "Signature expired: 20260501T115459Z is now earlier than 20260501T115500Z (20260501T120000Z - 5 min.)")]
    [InlineData(301, "Signature not yet current: 20260501T120501Z is still later than 20260501T120500Z (20260501T120000Z + 5 min.)")]
    public async Task A_clock_more_than_five_minutes_off_is_refused_in_aws_words(int seconds, string words)
    {
        var account = await house.NewAccount();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(house.Address, "/toys/x"));
        account.Signer(time: new FakeTimeProvider(house.Time.GetUtcNow().AddSeconds(seconds))).Sign(request, []);
        Assert.Equal(words, await Refused(await house.Http.SendAsync(request), "InvalidSignatureException"));
    }

    [Theory]
    [InlineData("AWS4-HMAC-SHA256 Credential=A/20260501/r/toy/aws4_request, SignedHeaders=host")]
    [InlineData("AWS4-HMAC-SHA256 Credential=A/20260501/toy/aws4_request, SignedHeaders=host, Signature=00")]
    [InlineData("AWS4-HMAC-SHA256")]
    [InlineData("AWS4-HMAC-SHA256 ,,,===,=")]
    [InlineData("AWS4-HMAC-SHA512 Credential=A/20260501/r/toy/aws4_request, SignedHeaders=host, Signature=00")]
    public async Task Half_a_signature_is_an_incomplete_one(string authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(house.Address, "/toys/x"));
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        request.Headers.TryAddWithoutValidation("x-amz-date", "20260501T120000Z");
        await Refused(await house.Http.SendAsync(request), "IncompleteSignatureException");
    }

    [Fact]
    public async Task A_scope_of_another_day_and_unsigned_hosts_are_refused()
    {
        var account = await house.NewAccount();
        foreach (var (date, headers) in new[] { ("20260430", "host;x-amz-date"), ("20260501", "x-amz-date") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(house.Address, "/toys/x"));
            request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential={account.KeyId}/{date}/r/toy/aws4_request, SignedHeaders={headers}, Signature=00");
            request.Headers.TryAddWithoutValidation("x-amz-date", "20260501T120000Z");
            await Refused(await house.Http.SendAsync(request), "InvalidSignatureException");
        }
    }

    [Fact]
    public async Task A_presigned_url_works_until_it_expires_and_not_for_anything_else()
    {
        var account = await house.NewAccount();
        await account.Send("PUT", "/toys/x", "{}");
        var past = new FakeTimeProvider(house.Time.GetUtcNow().AddMinutes(-59));
        var good = account.Signer(time: past).Presign("GET", new(house.Address, "/toys/x?verbose=true"), TimeSpan.FromHours(1));
        Assert.Equal(HttpStatusCode.OK, (await house.Http.GetAsync(good)).StatusCode);
        await Refused(await house.Http.GetAsync(new Uri(good.OriginalString.Replace("toys/x", "toys/y", StringComparison.Ordinal))), "InvalidSignatureException");
        var stale = account.Signer(time: past).Presign("GET", new(house.Address, "/toys/x"), TimeSpan.FromMinutes(58));
        Assert.StartsWith("Signature expired: ", await Refused(await house.Http.GetAsync(stale), "InvalidSignatureException"));
        var endless = account.Signer().Presign("GET", new(house.Address, "/toys/x"), TimeSpan.FromSeconds(604_801));
        await Refused(await house.Http.GetAsync(endless), "IncompleteSignatureException");
    }

    [Fact]
    public async Task Unsigned_payloads_are_only_for_apis_that_allow_them()
    {
        var account = await house.NewAccount();
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(house.Address, "/toys/x")) { Content = new StringContent("{}") };
        request.Headers.Add("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        account.Signer().Sign(request, "{}"u8);
        await Refused(await house.Http.SendAsync(request), "InvalidSignatureException");
    }

    [Fact]
    public async Task A_body_in_signed_chunks_is_taken_apart_and_every_chunk_is_checked()
    {
        var account = await house.NewAccount();
        Assert.Equal(HttpStatusCode.OK, (await SendChunked(account, tamper: false)).StatusCode);
        await Refused(await SendChunked(account, tamper: true), "InvalidSignatureException");
    }

    async Task<HttpResponseMessage> SendChunked(ToyAccount account, bool tamper)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(house.Address, "/toys/chunky"));
        request.Headers.Add("x-amz-content-sha256", ChunkedPayload.Signed);
        account.Signer().Sign(request, []);
        var timestamp = Sig.Format(house.Time.GetUtcNow());
        var scope = $"{timestamp[..8]}/eu-north-1/toy/aws4_request";
        var key = Sig.DeriveKey(account.Secret.Value, timestamp[..8], "eu-north-1", "toy");
        var previous = request.Headers.GetValues("Authorization").Single().Split("Signature=")[1];
        var body = new StringBuilder();
        foreach (var chunk in new[] { "{\"size\"", ":3}", "" })
        {
            previous = Sig.Sign(key, $"AWS4-HMAC-SHA256-PAYLOAD\n{timestamp}\n{scope}\n{previous}\n{Sig.EmptyHash}\n{Sig.HashHex(Encoding.UTF8.GetBytes(chunk))}");
            body.Append($"{chunk.Length:x};chunk-signature={previous}\r\n{(tamper ? chunk.Replace('3', '4') : chunk)}\r\n");
        }
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToString()));
        return await house.Http.SendAsync(request);
    }

    [Fact]
    public async Task One_account_does_not_see_anothers_toys()
    {
        var (one, other) = (await house.NewAccount(), await house.NewAccount());
        await one.Send("PUT", "/toys/mine", "{}");
        Assert.Equal(HttpStatusCode.OK, (await one.Send("GET", "/toys/mine")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.Send("GET", "/toys/mine")).StatusCode);
    }
}

using System.Text;
using Althing.Api.SigV4;
using CsCheck;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Api;

/// <summary>Signatures against values that other implementations made: AWS's published test suite, and botocore 1.43 for the rest.</summary>
public sealed class SignatureTests
{
    const string KeyId = "AKIDEXAMPLE";
    const string Key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const string Token = "FwoGZXIvYXdzEJr//token+x=";
    const string Host = "iot.eu-west-1.amazonaws.com";
    static readonly DateTimeOffset At = new(2015, 8, 30, 12, 36, 0, TimeSpan.Zero);

    static string Signed(string method, string target, string signedHeaders, string region, string service, string body, params (string, string)[] headers)
    {
        var http = new DefaultHttpContext();
        http.Features.Get<IHttpRequestFeature>()!.RawTarget = target;
        http.Request.Method = method;
        http.Request.Headers["X-Amz-Date"] = Sig.Format(At);
        foreach (var (name, value) in headers)
            http.Request.Headers.Append(name, value);
        http.Request.Headers.Authorization = $"AWS4-HMAC-SHA256 Credential={KeyId}/20150830/{region}/{service}/aws4_request, SignedHeaders={signedHeaders}, Signature=00";
        var signed = SignedRequest.Read(http.Request)!;
        var canonical = SigV4Verifier.Canonical(http.Request, signed, Sig.HashHex(Encoding.UTF8.GetBytes(body)));
        return Sig.Sign(Sig.DeriveKey(Key, "20150830", region, service), Sig.StringToSign(signed.Timestamp, signed.Scope, canonical));
    }

    [Theory]
    [InlineData("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
    [InlineData("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
    public void The_vanilla_requests_of_the_published_suite_have_their_signatures(string method, string expected) =>
        Assert.Equal(expected, Signed(method, "/", "host;x-amz-date", "us-east-1", "service", "", ("Host", "example.amazonaws.com")));

    [Theory]
    [InlineData("/", "315afe1122b33f1f20254e26c0d64ff7944312dbf57390e85b6cf8b24c6a390d")]
    [InlineData("/things/pump%3A1/a%20b", "73610b841df8b8961dff222ffb5fe1b115b1cee5ea4e66935deb3d19b2b0ea7b")]
    [InlineData("/principals/arn%3Aaws%3Aiot%3Aeu-west-1%3A123456789012%3Acert%2Fabc", "5ac138396fe9e474154c48815aaac6bcddebfa9a79281be4333c0002245c6cd6")]
    [InlineData("/things?maxResults=5&attributeName=a%20b&attributeName=A&x=&y", "419fe7d3ad1a60385f1fecfd920f0f7beaefd303c70b672e996afba73cf5c8cb")]
    [InlineData("/a/./b/../c//d", "cfdbcb0ae1df6c2ef91a06fa2bab058560e6b327d31e25964dbce70e99aeaabd")]
    [InlineData("/things/%E2%98%83?q=%E2%98%83", "d9e4467c011fbfc72c0d856dd4584e2182e1724220a673e5877eb689ba14ce49")]
    public void Paths_and_queries_are_signed_as_botocore_signs_them(string target, string expected) =>
        Assert.Equal(expected, Signed("GET", target, "host;x-amz-date", "eu-west-1", "iot", "", ("Host", Host)));

    [Fact]
    public void Bodies_and_folded_headers_are_signed_as_botocore_signs_them()
    {
        Assert.Equal("72ddd258a30bac7993afaa08326aed10256653701667bcc7dd8cf7e510f5ca1f", Signed("POST", "/things/pump-1", "content-type;host;x-amz-date",
            "eu-west-1", "iot", """{"thingTypeName":"pump"}""", ("Host", Host), ("Content-Type", "application/json")));
        Assert.Equal("cd3465726d8d513cc2abeac2e82e6ce1dc7c12cbfd943f9f7debb5ca849af974", Signed("GET", "/things", "host;x-amz-date;x-amz-meta",
            "eu-west-1", "iot", "", ("Host", Host), ("X-Amz-Meta", "  a   b  c ")));
        Assert.Equal("24a5b7c02387106f1a11a3d12e6105451ffe53f7a03eb2379c9ba493df30e775", Signed("GET", "/things", "host;x-amz-date;x-amz-security-token",
            "eu-west-1", "iot", "", ("Host", Host), ("X-Amz-Security-Token", Token)));
    }

    [Theory]
    [InlineData("/things?maxResults=5", null, 3600, "a33a0ce948dd099646518b4ab2580c1fd54f4fc7a2ce9e96e18eb6acbf235687")]
    [InlineData("/things", Token, 60, "0f8137ab51e33a8a8543304c42867eda903200c182eabba33dba8178eaf08acb")]
    public void Presigned_urls_have_botocores_signature(string target, string? token, int seconds, string expected)
    {
        var signer = new SigV4Signer(KeyId, new(Key), "eu-west-1", "iot", new FakeTimeProvider(At), token);
        var url = signer.Presign("GET", new($"https://{Host}{target}"), TimeSpan.FromSeconds(seconds));
        Assert.Contains($"X-Amz-Signature={expected}", url.Query);
    }

    [Fact]
    public void Any_path_signed_by_the_signer_is_canonical_to_the_verifier_however_it_is_sorted()
    {
        var text = Gen.String[Gen.Char.AlphaNumeric, 1, 8];
        Gen.Select(text.Array[0, 5], text.Array[0, 5]).Sample((names, values) =>
        {
            var pairs = names.Zip(values, (n, v) => $"{n}={v}").ToArray();
            var canonical = Sig.CanonicalQuery(string.Join('&', pairs));
            Assert.Equal(canonical, Sig.CanonicalQuery(string.Join('&', pairs.Reverse())));
            Assert.Equal(canonical, Sig.CanonicalQuery(canonical));
        });
    }

    [Fact]
    public void A_canonical_path_never_leaves_the_root_and_is_stable_but_for_its_encoding()
    {
        Gen.String[Gen.Char["/.ab%"], 0, 20].Sample(path =>
        {
            var canonical = Sig.CanonicalPath("/" + path, encodeAgain: true);
            Assert.StartsWith("/", canonical);
            Assert.DoesNotContain("//", canonical);
            Assert.DoesNotContain(canonical.Split('/'), s => s is "." or "..");
            Assert.DoesNotContain("% ", canonical);
        });
    }
}

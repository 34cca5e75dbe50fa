using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Althing.Identity.Pki;
using Althing.Mqtt;
using Althing.Tests.Broker;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

/// <summary>Domain configurations that act: names with their own certificate, TLS versions, authenticators and protocols.</summary>
public sealed class DomainTests
{
    static readonly string Any = Document("iot:*", "*");

    /// <summary>A self-signed server certificate with its key.</summary>
    static (string Pem, string Key) Server(string name, bool forServers = true, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        if (forServers)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], false));
        using var certificate = request.CreateSelfSigned(new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), until ?? new(2040, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    static async Task<string> Import(DoorAccount account, (string Pem, string Key) server, string? inPlaceOf = null) =>
        (string)(await account.Call("ImportCertificate", new
        {
            CertificateArn = inPlaceOf, Certificate = Encoding.UTF8.GetBytes(server.Pem), PrivateKey = Encoding.UTF8.GetBytes(server.Key),
        }, "acm"))["CertificateArn"]!;

    static async Task<string> Domain(DoorAccount account, string name, string domain = "iot.example.com", object? more = null)
    {
        var arn = await Import(account, Server(domain));
        var request = System.Text.Json.JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        (request["domainConfigurationName"], request["domainName"]) = (name, domain);
        request["serverCertificateArns"] = new System.Text.Json.Nodes.JsonArray(arn);
        await account.Call("CreateDomainConfiguration", request);
        return arn;
    }

    static async Task<string> Shown(DoorHouse house, string serverName)
    {
        await using var tls = await house.Mqtts(serverName: serverName);
        return ((X509Certificate2)tls.RemoteCertificate!).ExportCertificatePem();
    }

    static void Nobody(TestConnect wish) => (wish.Account, wish.Password) = (null, null);

    [Fact]
    public async Task A_name_of_ones_own_shows_its_certificate_and_the_next_one_without_dropping_connections()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var first = Server("iot.example.com");
        var arn = await Import(account, first);
        await account.Call("CreateDomainConfiguration", new { domainConfigurationName = "own", domainName = "IoT.example.com", serverCertificateArns = new[] { arn } });
        var device = await account.Device();
        await using var client = await TestClient.Over(await house.Mqtts(device.Certificate, "iot.example.com"), "pump", Nobody);
        Assert.Equal(first.Pem, await Shown(house, "iot.example.com"));
        Assert.NotEqual(first.Pem, await Shown(house, DoorHouse.HostName));
        var described = await account.Call("DescribeDomainConfiguration", new { domainConfigurationName = "own" });
        Assert.Equal(("CUSTOMER_MANAGED", "iot.example.com", "VALID"), ((string)described["domainType"]!, (string)described["domainName"]!, (string)described["serverCertificates"]![0]!["serverCertificateStatus"]!));
        var second = Server("iot.example.com");
        Assert.Equal(arn, await Import(account, second, arn));
        Assert.Equal(second.Pem, await Shown(house, "iot.example.com"));
        await client.Ping();
        Assert.Equal("ResourceInUseException", (await account.Refused("DeleteCertificate", new { CertificateArn = arn }, "acm")).Code);
        await account.Call("UpdateDomainConfiguration", new { domainConfigurationName = "own", domainConfigurationStatus = "DISABLED" });
        await account.Call("DeleteDomainConfiguration", new { domainConfigurationName = "own" });
        await account.Call("DeleteCertificate", new { CertificateArn = arn }, "acm");
        Assert.NotEqual(second.Pem, await Shown(house, "iot.example.com"));
    }

    [Fact]
    public async Task A_certificate_must_be_good_for_the_name()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        async Task<(string, string)> Why((string, string) server, string domain = "iot.example.com")
        {
            var arn = await Import(account, server);
            var refusal = await account.Refused("CreateDomainConfiguration", new { domainConfigurationName = "own", domainName = domain, serverCertificateArns = new[] { arn } });
            return (refusal.Code, refusal.Message);
        }
        Assert.Contains("it is not for", (await Why(Server("other.example.com"))).Item2);
        Assert.Contains("serverAuth", (await Why(Server("iot.example.com", forServers: false))).Item2);
        Assert.Equal("InvalidRequestException", (await Why(Server("iot.test"), "iot.test")).Item1);
        Assert.Equal("InvalidRequestException", (await Why(Server("x.iot.test"), "x.iot.test")).Item1);
        Assert.Equal("InvalidRequestException", (await Why(Server("localhost"), "localhost")).Item1);
        Assert.Equal("CertificateValidationException", (await account.Refused("CreateDomainConfiguration", new
        {
            domainConfigurationName = "own", domainName = "iot.example.com",
            serverCertificateArns = new[] { $"arn:aws:acm:eu-west-1:{account.Id}:certificate/none" },
        })).Code);
        var (pem, _) = Server("iot.example.com");
        var mixed = await account.Refused("ImportCertificate", new { Certificate = Encoding.UTF8.GetBytes(pem), PrivateKey = Encoding.UTF8.GetBytes(Server("iot.example.com").Key) }, "acm");
        Assert.Equal("ValidationException", mixed.Code);
        Assert.Equal("ValidationException", (await account.Refused("ImportCertificate", new { Certificate = "aGVsbG8=", PrivateKey = "aGVsbG8=" }, "acm")).Code);
        Assert.Contains("expired", (await Assert.ThrowsAsync<Althing.Api.ServiceException>(() => Import(account, Server("iot.example.com", until: new(2021, 1, 1, 0, 0, 0, TimeSpan.Zero))))).Message);
    }

    [Fact]
    public async Task Nobody_takes_anothers_name_or_one_it_cannot_prove()
    {
        await using var house = await DoorHouse.Open();
        var (first, second) = (await house.NewAccount(), await house.NewAccount());
        await Domain(first, "own");
        var refusal = await Assert.ThrowsAsync<Althing.Api.ServiceException>(() => Domain(second, "own"));
        Assert.Equal("InvalidRequestException", refusal.Code);
        refusal = await Assert.ThrowsAsync<Althing.Api.ServiceException>(() => Domain(second, "own", "free.example.com"));
        Assert.Equal("CertificateValidationException", refusal.Code);
        Assert.Contains("Nothing proves", refusal.Message);
        var foreign = await Import(first, Server("free.example.com"));
        Assert.Equal("InvalidArnException", (await second.Refused("GetCertificate", new { CertificateArn = foreign }, "acm")).Code);
    }

    [Fact]
    public async Task The_name_tells_the_account()
    {
        await using var house = await DoorHouse.Open();
        var (first, second) = (await house.NewAccount(), await house.NewAccount());
        await Domain(first, "own");
        var device = await second.Device();
        await using var refused = await TestClient.Over(await house.Mqtts(device.Certificate, "iot.example.com"), "pump", w => { Nobody(w); w.MayFail = true; });
        Assert.Equal(5, refused.Answer.Code);
        await using var elsewhere = await TestClient.Over(await house.Mqtts(device.Certificate, second.ServerName), "pump", Nobody);
    }

    [Theory]
    [InlineData("IoTSecurityPolicy_TLS13_1_3_2022_10", false, true)]
    [InlineData("IoTSecurityPolicy_TLS12_1_2_2022_10", true, false)]
    [InlineData("IoTSecurityPolicy_TLS13_1_2_2022_10", true, true)]
    public async Task A_security_policy_chooses_the_TLS_versions(string policy, bool tls12, bool tls13)
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await Domain(account, "own", more: new { tlsConfig = new { securityPolicy = policy } });
        async Task<bool> Speaks(SslProtocols version)
        {
            try
            {
                await using var tls = await house.Tls(2, null, "iot.example.com", null, version);
                return tls.SslProtocol == version;
            }
            catch (Exception refusal) when (refusal is AuthenticationException or IOException)
            {
                return false;
            }
        }
        Assert.Equal((tls12, tls13), (await Speaks(SslProtocols.Tls12), await Speaks(SslProtocols.Tls13)));
        Assert.Contains("TLS 1.0", (await account.Refused("UpdateDomainConfiguration", new { domainConfigurationName = "own", tlsConfig = new { securityPolicy = "IoTSecurityPolicy_TLS12_1_0_2016_01" } })).Message);
    }

    [Fact]
    public async Task A_disabled_name_lets_nobody_in_and_ends_who_is_there()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await Domain(account, "own");
        var device = await account.Device();
        await using var client = await TestClient.Over(await house.Mqtts(device.Certificate, "iot.example.com"), "pump", w => { Nobody(w); w.Version = MqttVersion.V5; });
        await using var other = await TestClient.Over(await house.Mqtts(device.Certificate), "other", Nobody);
        await account.Call("UpdateDomainConfiguration", new { domainConfigurationName = "own", domainConfigurationStatus = "DISABLED" });
        Assert.Equal(ReasonCode.NotAuthorized, await client.Closed());
        await other.Ping();
        await using var late = await TestClient.Over(await house.Mqtts(device.Certificate, "iot.example.com"), "pump", w => { Nobody(w); w.MayFail = true; });
        Assert.Equal(5, late.Answer.Code);
        using var https = house.Https(device.Certificate, "iot.example.com");
        Assert.Equal(HttpStatusCode.Forbidden, (await https.PostAsync("/topics/t", null)).StatusCode);
        await account.Call("UpdateDomainConfiguration", new { domainConfigurationName = "own", domainConfigurationStatus = "ENABLED" });
        Assert.Equal(HttpStatusCode.OK, (await https.PostAsync("/topics/t", null)).StatusCode);
    }

    [Fact]
    public async Task A_name_has_an_authorizer_of_its_own_that_clients_may_or_may_not_override()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await account.Authorizer("own");
        await account.Authorizer("other");
        house.Function.Says = asked => ToyFunction.Allow(Any);
        await Domain(account, "d", more: new { authorizerConfig = new { defaultAuthorizerName = "own", allowAuthorizerOverride = false } });
        async Task<byte> Connect(string? user)
        {
            await using var client = await TestClient.Over(await house.Mqtts(serverName: "iot.example.com"), "c", w => { (w.Account, w.Password, w.MayFail) = (user, null, true); });
            return client.Answer.Code;
        }
        Assert.Equal(0, await Connect(null));
        Assert.Equal(0, await Connect("?x-amz-customauthorizer-name=own"));
        Assert.Equal(5, await Connect("?x-amz-customauthorizer-name=other"));
        await account.Call("UpdateDomainConfiguration", new { domainConfigurationName = "d", authorizerConfig = new { defaultAuthorizerName = "own", allowAuthorizerOverride = true } });
        Assert.Equal(0, await Connect("?x-amz-customauthorizer-name=other"));
        Assert.Equal("DeleteConflictException", (await account.Refused("DeleteAuthorizer", new { authorizerName = "own" })).Code);
        await account.Call("UpdateDomainConfiguration", new { domainConfigurationName = "d", removeAuthorizerConfig = true });
        Assert.Equal(5, await Connect(null));
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateDomainConfiguration", new { domainConfigurationName = "d", authorizerConfig = new { defaultAuthorizerName = "none" } })).Code);
    }

    [Fact]
    public async Task A_name_may_want_a_certificate_and_an_authorizer()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await account.Authorizer("judge");
        house.Function.Says = asked => ToyFunction.Allow(Any);
        await Domain(account, "both", more: new { authenticationType = "CUSTOM_AUTH_X509", authorizerConfig = new { defaultAuthorizerName = "judge" } });
        var device = await account.Device();
        await using var bare = await TestClient.Over(await house.Mqtts(serverName: "iot.example.com"), "pump", w => { Nobody(w); w.MayFail = true; });
        Assert.Equal(5, bare.Answer.Code);
        Assert.Empty(house.Function.Asked);
        await using var client = await TestClient.Over(await house.Mqtts(device.Certificate, "iot.example.com"), "pump", w => { Nobody(w); w.Version = MqttVersion.V5; });
        var tls = Assert.Single(house.Function.Asked)["protocolData"]!["tls"]!;
        Assert.Equal(device.Id, (string)tls["principalId"]!);
        Assert.Equal(CertificateText.PemOf(device.Certificate), (string)tls["x509CertificatePem"]!);
        using var https = house.Https(device.Certificate, "iot.example.com");
        Assert.Equal(HttpStatusCode.OK, (await https.PostAsync("/topics/t", null)).StatusCode);
        await account.Call("UpdateCertificate", new { certificateId = device.Id, newStatus = "REVOKED" });
        Assert.Equal(ReasonCode.NotAuthorized, await client.Closed());
        Assert.Equal(HttpStatusCode.Forbidden, (await https.PostAsync("/topics/t", null)).StatusCode);
    }

    [Fact]
    public async Task A_name_may_be_for_one_protocol_and_one_kind_of_credentials()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await Domain(account, "d", more: new { authenticationType = "AWS_X509", applicationProtocol = "SECURE_MQTT" });
        var device = await account.Device();
        async Task<bool> Mqtt(SslStream tls)
        {
            await using var client = await TestClient.Over(tls, "pump", w => { Nobody(w); w.MayFail = true; });
            return client.Answer.Code == 0;
        }
        Task<SslStream> Shared(X509Certificate2? certificate) => house.Tls(1, certificate, "iot.example.com", null);
        Assert.True(await Mqtt(await house.Mqtts(device.Certificate, "iot.example.com")));
        // On the port for both, without ALPN: the name says that it is MQTT.
        Assert.True(await Mqtt(await Shared(device.Certificate)));
        Assert.False(await Mqtt(await house.Mqtts(null, "iot.example.com")));
        await account.Call("UpdateDomainConfiguration", new { domainConfigurationName = "d", authenticationType = "AWS_SIGV4", applicationProtocol = "MQTT_WSS" });
        Assert.False(await Mqtt(await house.Mqtts(device.Certificate, "iot.example.com")));
        var presigned = account.Signer().Presign("GET", new("http://iot.test/mqtt"), TimeSpan.FromMinutes(5));
        await using (var client = await TestClient.Over(await DoorHouse.WebSocketOver(await Shared(null), presigned.Query), "app", Nobody))
            await client.Ping();
        using var https = house.Https(device.Certificate, "iot.example.com");
        Assert.Equal(HttpStatusCode.Forbidden, (await https.PostAsync("/topics/t", null)).StatusCode);
        await account.Call("UpdateDomainConfiguration", new { domainConfigurationName = "d", applicationProtocol = "HTTPS" });
        await Assert.ThrowsAsync<WebSocketException>(async () => await DoorHouse.WebSocketOver(await Shared(null), presigned.Query));
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateDomainConfiguration", new { domainConfigurationName = "d", applicationProtocol = "SECURE_MQTT" })).Code);
    }
}

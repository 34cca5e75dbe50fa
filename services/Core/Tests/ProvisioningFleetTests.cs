using System.Formats.Cbor;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Core;
using Althing.Core.Provisioning.Fleet;
using Althing.Identity;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;
using Althing.Tests.Broker;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Tests.Core;

/// <summary>Devices that come into being over MQTT, at their first connection, and with keys for other services.</summary>
public sealed class ProvisioningFleetTests
{
    const string Template = """
        {"Parameters":{"Serial":{"Type":"String"},"Place":{"Type":"String","Default":"nowhere"}},
         "Resources":{"thing":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":{"Fn::Join":["-",["pump",{"Ref":"Serial"}]]},"AttributePayload":{"place":{"Ref":"Place"}}}},
                      "certificate":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":{"Ref":"AWS::IoT::Certificate::Id"},"Status":"ACTIVE"}},
                      "policy":{"Type":"AWS::IoT::Policy","Properties":{"PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}}}},
         "DeviceConfiguration":{"url":{"Fn::Sub":"https://example.com/${Place}"}}}
        """;

    const string Provision = "$aws/provisioning-templates/T/provision/json";

    static async Task<DoorAccount> With(DoorHouse house, object? hook = null)
    {
        var account = await house.NewAccount();
        await account.Call("CreateProvisioningTemplate", new { templateName = "T", templateBody = Template, enabled = true, provisioningRoleArn = "arn:aws:iam::000000000000:role/p", preProvisioningHook = hook });
        return account;
    }

    static async Task<TestClient> Client(DoorHouse house, DoorAccount account, X509Certificate2 certificate, string id)
    {
        var client = await TestClient.Over(await house.Mqtts(certificate, account.ServerName), id, c => (c.Account, c.Password, c.KeepAlive) = (null, null, 0));
        foreach (var filter in new[] { "$aws/certificates/create/+/accepted", "$aws/certificates/create/+/rejected", "$aws/certificates/create-from-csr/json/+", "$aws/provisioning-templates/T/provision/+/+" })
            await client.Subscribe(filter);
        return client;
    }

    static async Task<JsonNode> Ask(TestClient client, string topic, string payload, string outcome)
    {
        Assert.Equal(ReasonCode.Success, await client.PublishSurely(topic, payload));
        var got = await client.Message();
        Assert.Equal(topic + outcome, got.Topic);
        return JsonNode.Parse(got.Payload)!;
    }

    static string With(string token, params (string Name, string Value)[] parameters) =>
        JsonSerializer.Serialize(new { certificateOwnershipToken = token, parameters = parameters.ToDictionary(p => p.Name, p => p.Value) });

    static X509Certificate2 Usable(JsonNode made)
    {
        using var pem = X509Certificate2.CreateFromPem((string)made["certificatePem"]!, (string)made["privateKey"]!);
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    [Fact]
    public async Task A_device_with_a_claim_gets_a_certificate_and_becomes_a_thing()
    {
        await using var house = await DoorHouse.Open();
        var account = await With(house);
        var claim = await account.Device();
        await using var client = await Client(house, account, claim.Certificate, "claim-1");
        await using var other = await Client(house, account, claim.Certificate, "claim-2");
        var made = await Ask(client, "$aws/certificates/create/json", "", "/accepted");
        await other.Nothing();
        using var own = Usable(made);
        var id = (string)made["certificateId"]!;
        Assert.Equal("PENDING_ACTIVATION", (string)(await account.Call("DescribeCertificate", new { certificateId = id }))["certificateDescription"]!["status"]!);
        await using (var early = await TestClient.Over(await house.Mqtts(own, account.ServerName), "pump-7", c => (c.Account, c.Password, c.MayFail) = (null, null, true)))
            Assert.NotEqual(0, early.Answer.Code);
        var token = (string)made["certificateOwnershipToken"]!;
        var answer = await Ask(client, Provision, With(token, ("Serial", "7"), ("Place", "Oslo")), "/accepted");
        Assert.Equal("""{"deviceConfiguration":{"url":"https://example.com/Oslo"},"thingName":"pump-7"}""", answer.ToJsonString());
        await using var device = await Client(house, account, own, "pump-7");
        // The answer was lost: the same request has it again. Any other is a token used twice.
        Assert.Equal(answer.ToJsonString(), (await Ask(client, Provision, With(token, ("Serial", "7"), ("Place", "Oslo")), "/accepted")).ToJsonString());
        Assert.Equal("InvalidCertificateOwnershipToken", (string)(await Ask(client, Provision, With(token, ("Serial", "8")), "/rejected"))["errorCode"]!);
        await account.Refused("DescribeThing", new { thingName = "pump-8" });
    }

    [Fact]
    public async Task Tokens_that_were_stolen_have_expired_or_were_made_up_are_worth_nothing()
    {
        await using var house = await DoorHouse.Open();
        var account = await With(house);
        var foreign = await With(house);
        var certificate = (await account.Device()).Certificate;
        await using var client = await Client(house, account, certificate, "c");
        await using var thief = await Client(house, account, (await account.Device()).Certificate, "thief");
        await using var stranger = await Client(house, foreign, (await foreign.Device()).Certificate, "c");
        var made = await Ask(client, "$aws/certificates/create-from-csr/json", JsonSerializer.Serialize(new { certificateSigningRequest = TestPki.Request("CN=mine") }), "/accepted");
        var token = (string)made["certificateOwnershipToken"]!;
        Assert.Null(made["privateKey"]);
        foreach (var (who, brought) in new[] { (thief, token), (stranger, token), (client, token + "x"), (client, "") })
        {
            var refusal = await Ask(who, Provision, With(brought, ("Serial", "1")), "/rejected");
            Assert.Equal((400, brought.Length == 0 ? "InvalidPayload" : "InvalidCertificateOwnershipToken"), ((int)refusal["statusCode"]!, (string)refusal["errorCode"]!));
        }
        house.Time.Advance(OwnershipToken.Lifetime);
        await using var late = await Client(house, account, certificate, "late");
        Assert.Equal("InvalidCertificateOwnershipToken", (string)(await Ask(late, Provision, With(token, ("Serial", "1")), "/rejected"))["errorCode"]!);
        // Its certificate was never used and goes.
        await house.Services.GetRequiredService<FleetUpkeep>().Sweep(default);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeCertificate", new { certificateId = (string)made["certificateId"]! })).Code);
        Assert.Empty(await house.Store.Scan(OwnershipToken.Table, account.Id, Scan.All, default));
    }

    [Theory]
    [InlineData("{", "InvalidPayload")]
    [InlineData("[]", "InvalidPayload")]
    [InlineData("""{"certificateOwnershipToken":7}""", "InvalidPayload")]
    [InlineData("""{"certificateOwnershipToken":"TOKEN","parameters":{"Serial":7}}""", "InvalidPayload")]
    [InlineData("""{"certificateOwnershipToken":"TOKEN","parameters":{"AWS::IoT::Certificate::Id":"x"}}""", "InvalidParameters")]
    [InlineData("""{"certificateOwnershipToken":"TOKEN","parameters":{}}""", "InvalidParameters")]
    [InlineData("""{"certificateOwnershipToken":"TOKEN","parameters":{"Serial":"{\"Ref\":\"Place\"}"}}""", "InvalidParameters")]
    public async Task Broken_requests_are_rejected_and_the_next_one_works(string payload, string code)
    {
        await using var house = await DoorHouse.Open();
        var account = await With(house);
        await using var client = await Client(house, account, (await account.Device()).Certificate, "c");
        var token = (string)(await Ask(client, "$aws/certificates/create/json", "", "/accepted"))["certificateOwnershipToken"]!;
        Assert.Equal(code, (string)(await Ask(client, Provision, payload.Replace("TOKEN", token, StringComparison.Ordinal), "/rejected"))["errorCode"]!);
        Assert.Equal("pump-1", (string)(await Ask(client, Provision, With(token, ("Serial", "1")), "/accepted"))["thingName"]!);
    }

    [Fact]
    public async Task CBOR_is_as_good_as_JSON()
    {
        await using var house = await DoorHouse.Open();
        var account = await With(house);
        await using var client = await Client(house, account, (await account.Device()).Certificate, "c");
        var token = (string)(await Ask(client, "$aws/certificates/create/json", "", "/accepted"))["certificateOwnershipToken"]!;
        var request = DevicePayload.Write("cbor", JsonNode.Parse(With(token, ("Serial", "é1")))!.AsObject());
        Assert.Equal(CborReaderState.StartMap, new CborReader(request).PeekState());
        async Task<Got> Send(byte[] payload)
        {
            await client.Send(b => PublishPacket.Write(b, MqttVersion.V311, "$aws/provisioning-templates/T/provision/cbor", payload, 1, false, false, 5, null));
            await client.Expect(PacketType.PubAck);
            return await client.Message();
        }

        var rejected = await Send(request);
        Assert.EndsWith("/cbor/rejected", rejected.Topic, StringComparison.Ordinal);
        Assert.Contains("InvalidParameters", rejected.Payload, StringComparison.Ordinal);
        Assert.Contains("InvalidPayload", (await Send([0xff, 0x00, 0x9f])).Payload, StringComparison.Ordinal);
        var accepted = await Send(DevicePayload.Write("cbor", JsonNode.Parse(With(token, ("Serial", "1")))!.AsObject()));
        Assert.EndsWith("/cbor/accepted", accepted.Topic, StringComparison.Ordinal);
        Assert.Contains("pump-1", accepted.Payload, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hook_decides_who_is_provisioned_and_with_what()
    {
        await using var house = await DoorHouse.Open();
        var account = await With(house, new { targetArn = house.FunctionAddress });
        var claim = await account.Device();
        await using var client = await Client(house, account, claim.Certificate, "c");
        house.Function.Says = asked => (string?)asked["parameters"]?["Serial"] switch
        {
            "good" => """{"allowProvisioning":true,"parameterOverrides":{"Place":"Bergen"}}""",
            "bad" => """{"allowProvisioning":false}""",
            "text" => """{"allowProvisioning":"true"}""",
            "nonsense" => "nonsense",
            _ => null,
        };
        var made = await Ask(client, "$aws/certificates/create/json", "", "/accepted");
        var token = (string)made["certificateOwnershipToken"]!;
        foreach (var serial in new[] { "bad", "text", "nonsense", "fails" })
            Assert.Equal("AccessDenied", (string)(await Ask(client, Provision, With(token, ("Serial", serial)), "/rejected"))["errorCode"]!);
        var answer = await Ask(client, Provision, With(token, ("Serial", "good")), "/accepted");
        Assert.Equal("https://example.com/Bergen", (string)answer["deviceConfiguration"]!["url"]!);
        var asked = house.Function.Asked.Last();
        Assert.Equal((claim.Id, (string)made["certificateId"]!, "c", account.Arn("provisioningtemplate/T")),
            ((string)asked["claimCertificateId"]!, (string)asked["certificateId"]!, (string)asked["clientId"]!, (string)asked["templateArn"]!));
    }

    [Fact]
    public async Task A_trusted_user_hands_out_certificates_for_five_minutes_that_can_only_provision()
    {
        await using var house = await DoorHouse.Open();
        var account = await With(house);
        var claim = await account.Call("CreateProvisioningClaim", new { templateName = "T" });
        using var pem = X509Certificate2.CreateFromPem((string)claim["certificatePem"]!, (string)claim["keyPair"]!["PrivateKey"]!);
        using var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        await using var client = await Client(house, account, certificate, "app");
        Assert.Equal([ReasonCode.UnspecifiedError], await client.Subscribe("other/topic"));
        var token = (string)(await Ask(client, "$aws/certificates/create/json", "", "/accepted"))["certificateOwnershipToken"]!;
        Assert.Equal("pump-1", (string)(await Ask(client, Provision, With(token, ("Serial", "1")), "/accepted"))["thingName"]!);
        house.Time.Advance(ProvisioningClaim.Lifetime);
        await using var late = await TestClient.Over(await house.Mqtts(certificate, account.ServerName), "late", c => (c.Account, c.Password, c.MayFail) = (null, null, true));
        Assert.NotEqual(0, late.Answer.Code);
        await house.Services.GetRequiredService<FleetUpkeep>().Sweep(default);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeCertificate", new { certificateId = (string)claim["certificateId"]! })).Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_device_whose_CA_has_a_template_is_provisioned_at_its_first_connection(bool named)
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        const string body = """
            {"Parameters":{"AWS::IoT::Certificate::CommonName":{"Type":"String"},"AWS::IoT::Certificate::Id":{"Type":"String"}},
            "Resources":{"thing":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":{"Ref":"AWS::IoT::Certificate::CommonName"}}},
            "certificate":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":{"Ref":"AWS::IoT::Certificate::Id"},"Status":"ACTIVE"},"OverrideSettings":{"Status":"DO_NOTHING"}},
            "policy":{"Type":"AWS::IoT::Policy","Properties":{"PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":\"*\"}]}"}}}}
            """;
        if (named)
            await account.Call("CreateProvisioningTemplate", new { templateName = "J", templateBody = body, type = "JITP", enabled = true, provisioningRoleArn = "arn:aws:iam::000000000000:role/p" });
        using var authority = TestPki.Authority("CN=factory " + Guid.NewGuid());
        await account.Call("RegisterCACertificate", new
        {
            caCertificate = authority.ExportCertificatePem(), certificateMode = "SNI_ONLY", setAsActive = true, allowAutoRegistration = true,
            registrationConfig = named ? (object)new { templateName = "J" } : new { templateBody = body, roleArn = "arn:aws:iam::000000000000:role/p" },
        });
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signer = authority.GetRSAPrivateKey()!;
        using var signed = new CertificateRequest("CN=born", key, HashAlgorithmName.SHA256)
            .Create(authority.SubjectName, X509SignatureGenerator.CreateForRSA(signer, RSASignaturePadding.Pkcs1), authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(12));
        using var certificate = signed.CopyWithPrivateKey(key);
        await using (var first = await TestClient.Over(await house.Mqtts(certificate, account.ServerName), "born", c => (c.Account, c.Password, c.MayFail) = (null, null, true)))
            Assert.NotEqual(0, first.Answer.Code);
        await using var second = await Client(house, account, certificate, "born");
        Assert.Equal("born", (string)(await account.Call("DescribeThing", new { thingName = "born" }))["thingName"]!);
        if (named)
            Assert.Equal("DeleteConflictException", (await account.Refused("DeleteProvisioningTemplate", new { templateName = "J" })).Code);
    }

    [Fact]
    public async Task A_certificate_gets_keys_of_the_role_behind_an_alias()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var device = await account.Device($$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:AssumeRoleWithCertificate","Resource":"{{account.Arn("rolealias/alias")}}"}]}""");
        var role = new Role
        {
            Account = account.Id, Name = "device", Id = PrincipalIds.Role(), CreatedAt = house.Time.GetUtcNow(),
            TrustPolicy = """{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"credentials.iot.amazonaws.com"},"Action":"sts:AssumeRole"}}""",
            Policies = new Dictionary<string, string> { ["p"] = SecurityAccount.Document("iot:DescribeThing", account.Arn("thing/${credentials-iot:ThingName}")) },
        };
        await house.Store.Commit(new Batch().Add(Role.Table, role), default);
        await account.Call("CreateThing", new { thingName = "mine" });
        await account.Call("AttachThingPrincipal", new { thingName = "mine", principal = device.Arn });
        await account.Call("CreateRoleAlias", new { roleAlias = "alias", roleArn = role.Arn, credentialDurationSeconds = 900 });
        await account.Call("CreateRoleAlias", new { roleAlias = "forbidden", roleArn = role.Arn });
        using var http = house.Https(device.Certificate, account.ServerName);
        async Task<(HttpStatusCode, JsonNode)> Get(string alias, string? thing)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/role-aliases/{alias}/credentials");
            if (thing is not null)
                request.Headers.Add("x-amzn-iot-thingname", thing);
            using var response = await http.SendAsync(request);
            return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
        }

        Assert.Equal((HttpStatusCode.Forbidden, "Access Denied"), (await Get("forbidden", null)) is var (s, b) ? (s, (string)b["message"]!) : default);
        Assert.Equal(HttpStatusCode.Forbidden, (await Get("nobody", null)).Item1);
        Assert.Equal("Invalid thing name passed", (string)(await Get("alias", "other")).Item2["message"]!);
        var (status, body) = await Get("alias", "mine");
        Assert.Equal(HttpStatusCode.OK, status);
        var credentials = body["credentials"]!;
        Assert.Equal(house.Time.GetUtcNow().AddSeconds(900).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), (string)credentials["expiration"]!);
        var keys = house.Services.GetRequiredService<SigningKeys>();
        var (key, problem) = await keys.Find((string)credentials["accessKeyId"]!, (string)credentials["sessionToken"]!, "eu-west-1", default);
        Assert.Equal(KeyProblem.None, problem);
        var api = house.Services.GetRequiredService<Althing.Api.ApiClient>();
        Assert.Equal("mine", (string)(await api.Call(key!.Caller, "iot", "DescribeThing", new { thingName = "mine" }, default))["thingName"]!);
        await Assert.ThrowsAsync<Althing.Api.ServiceException>(async () => await api.Call(key.Caller, "iot", "DescribeThing", new { thingName = "other" }, default));
        using var anonymous = house.Https(null, account.ServerName);
        Assert.Equal(HttpStatusCode.Forbidden, (await anonymous.GetAsync("/role-aliases/alias/credentials")).StatusCode);
    }
}

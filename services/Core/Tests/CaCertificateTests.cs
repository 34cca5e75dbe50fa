using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Althing.Tests.Core;

public sealed class CaCertificateTests
{
    [Fact]
    public async Task A_ca_is_registered_with_proof_of_its_key()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        using var ca = TestPki.Authority("CN=Factory CA");
        using var otherCa = TestPki.Authority("CN=Factory CA");
        async Task<string> Refusal(X509Certificate2 verification) =>
            (await account.Refused("RegisterCACertificate", new { caCertificate = ca.ExportCertificatePem(), verificationCertificate = verification.ExportCertificatePem() })).Code;

        using var early = TestPki.Signed(ca, "CN=whatever");
        Assert.Equal("RegistrationCodeValidationException", await Refusal(early));
        var code = (string)(await account.Call("GetRegistrationCode", new { }))["registrationCode"]!;
        Assert.Equal(64, code.Length);
        Assert.Equal("RegistrationCodeValidationException", await Refusal(early));
        using var foreign = TestPki.Signed(otherCa, "CN=" + code);
        Assert.Equal("CertificateValidationException", await Refusal(foreign));
        using var right = TestPki.Signed(ca, "CN=" + code);
        var request = new { caCertificate = ca.ExportCertificatePem(), verificationCertificate = right.ExportCertificatePem(), setAsActive = true };
        var id = (string)(await account.Call("RegisterCACertificate", request))["certificateId"]!;
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("RegisterCACertificate", request)).Code);
        var described = (await account.Call("DescribeCACertificate", new { certificateId = id }))["certificateDescription"]!;
        Assert.Equal("ACTIVE", (string?)described["status"]);
        Assert.Equal("DISABLE", (string?)described["autoRegistrationStatus"]);
        Assert.Equal("CertificateStateException", (await account.Refused("DeleteCACertificate", new { certificateId = id })).Code);
        await account.Call("UpdateCACertificate", new { certificateId = id, newStatus = "INACTIVE" });
        await account.Call("DeleteCACertificate", new { certificateId = id });
        Assert.Empty((await account.Call("ListCACertificates", new { }))["certificates"]!.AsArray());
    }

    [Fact]
    public async Task A_leaf_certificate_is_no_ca()
    {
        await using var house = new SecurityHouse();
        using var leaf = TestPki.SelfSigned("CN=leaf");
        var refusal = await house.NewAccount().Refused("RegisterCACertificate", new { caCertificate = leaf.ExportCertificatePem(), certificateMode = "SNI_ONLY" });
        Assert.Equal("CertificateValidationException", refusal.Code);
        refusal = await house.NewAccount().Refused("RegisterCACertificate", new { caCertificate = leaf.ExportCertificatePem() });
        Assert.Equal("InvalidRequestException", refusal.Code);
    }

    [Fact]
    public async Task Device_certificates_are_taken_from_active_registered_cas_alone()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        using var ca = TestPki.Authority("CN=Factory CA");
        using var twin = TestPki.Authority("CN=Factory CA");
        using var device = TestPki.Signed(ca, "CN=pump");
        var register = new { certificatePem = device.ExportCertificatePem(), status = "ACTIVE" };
        Assert.Equal("CertificateValidationException", (await account.Refused("RegisterCertificate", register)).Code);
        var id = await Register(account, ca, active: false);
        await Register(account, twin);
        Assert.Equal("CertificateValidationException", (await account.Refused("RegisterCertificate", register)).Code);
        await account.Call("UpdateCACertificate", new { certificateId = id, newStatus = "ACTIVE" });
        var made = await account.Call("RegisterCertificate", register);
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("RegisterCertificate", register)).Code);
        var listed = (await account.Call("ListCertificatesByCA", new { caCertificateId = id }))["certificates"]!.AsArray();
        Assert.Equal((string?)made["certificateId"], (string?)Assert.Single(listed)!["certificateId"]);
        // Deactivating a CA stops registrations, not the devices that are registered.
        await account.Call("UpdateCACertificate", new { certificateId = id, newStatus = "INACTIVE" });
        Assert.NotNull(await house.Authority.Identify(device, null, default));
    }

    [Fact]
    public async Task The_first_connection_registers_a_certificate_for_activation()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        using var ca = TestPki.Authority("CN=Factory CA");
        using var device = TestPki.Signed(ca, "CN=pump");
        var id = await Register(account, ca);
        Assert.Null(await house.Authority.Identify(device, null, default));
        Assert.Empty(house.Published);
        await account.Call("UpdateCACertificate", new { certificateId = id, newAutoRegistrationStatus = "ENABLE" });
        using var stranger = TestPki.SelfSigned("CN=stranger");
        Assert.Null(await house.Authority.Identify(stranger, null, default));
        using var expired = TestPki.Signed(ca, "CN=old", new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Null(await house.Authority.Identify(expired, null, default));
        Assert.Empty(house.Published);

        Assert.Null(await house.Authority.Identify(device, null, default));
        var (owner, message) = Assert.Single(house.Published);
        Assert.Equal(account.Id, owner);
        Assert.Equal("$aws/events/certificates/registered/" + id, message.Topic);
        var payload = JsonNode.Parse(message.Payload.Span)!;
        Assert.Equal("PENDING_ACTIVATION", (string?)payload["certificateStatus"]);
        Assert.Equal(id, (string?)payload["caCertificateId"]);
        Assert.Equal(account.Id.Value, (string?)payload["awsAccountId"]);
        Assert.Null(await house.Authority.Identify(device, null, default));
        Assert.Equal(2, house.Published.Count);
        await account.Call("UpdateCertificate", new { certificateId = (string?)payload["certificateId"], newStatus = "ACTIVE" });
        Assert.Equal(account.Id, (await house.Authority.Identify(device, null, default))!.Account);
    }

    static async Task<string> Register(SecurityAccount account, X509Certificate2 ca, bool active = true) =>
        (string)(await account.Call("RegisterCACertificate", new { caCertificate = ca.ExportCertificatePem(), certificateMode = "SNI_ONLY", setAsActive = active }))["certificateId"]!;
}

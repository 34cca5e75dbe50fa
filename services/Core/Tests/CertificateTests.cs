using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Althing.Storage;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class CertificateTests
{
    [Fact]
    public async Task Keys_and_certificate_belong_together_and_the_key_is_kept_nowhere()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var made = await account.Call("CreateKeysAndCertificate", new { setAsActive = true });
        using var certificate = X509Certificate2.CreateFromPem((string)made["certificatePem"]!, (string)made["keyPair"]!["PrivateKey"]!);
        Assert.True(certificate.HasPrivateKey);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), (string)made["certificateId"]!);
        var row = await house.Store.Get(Althing.Core.Certificates.Certificate.Table, account.Id, (string)made["certificateId"]!, default);
        Assert.DoesNotContain("PRIVATE", System.Text.Json.JsonSerializer.Serialize(row!.Value.Value, StorageJson.Options), StringComparison.Ordinal);
        var described = (await account.Call("DescribeCertificate", new { certificateId = (string)made["certificateId"]! }))["certificateDescription"]!;
        Assert.Equal("ACTIVE", (string?)described["status"]);
        Assert.Equal("DEFAULT", (string?)described["certificateMode"]);
        Assert.Equal(account.Id.Value, (string?)described["ownedBy"]);
    }

    [Fact]
    public async Task A_request_gets_a_certificate_for_its_key_and_subject()
    {
        await using var house = new SecurityHouse();
        var made = await house.NewAccount().Call("CreateCertificateFromCsr", new { certificateSigningRequest = TestPki.Request("CN=pump-7") });
        using var certificate = X509Certificate2.CreateFromPem((string)made["certificatePem"]!);
        Assert.Equal("CN=pump-7", certificate.Subject);
    }

    [Theory]
    [InlineData("ACTIVE", "INACTIVE", null)]
    [InlineData("ACTIVE", "REVOKED", null)]
    [InlineData("INACTIVE", "ACTIVE", null)]
    [InlineData("INACTIVE", "INACTIVE", null)]
    [InlineData("REVOKED", "ACTIVE", "CertificateStateException")]
    [InlineData("REVOKED", "INACTIVE", "CertificateStateException")]
    [InlineData("REVOKED", "REVOKED", null)]
    [InlineData("ACTIVE", "PENDING_TRANSFER", "InvalidRequestException")]
    [InlineData("ACTIVE", "PENDING_ACTIVATION", "InvalidRequestException")]
    [InlineData("ACTIVE", "REGISTER_INACTIVE", "InvalidRequestException")]
    public async Task A_status_changes_as_documented(string from, string to, string? refused)
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device(status: from);
        if (refused is not null)
        {
            Assert.Equal(refused, (await account.Refused("UpdateCertificate", new { certificateId = device.Id, newStatus = to })).Code);
            to = from;
        }
        else
        {
            await account.Call("UpdateCertificate", new { certificateId = device.Id, newStatus = to });
        }
        Assert.Equal(to, await Status(account, device));
    }

    [Fact]
    public async Task A_certificate_is_deleted_only_when_it_is_inactive_and_free()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        var delete = new { certificateId = device.Id };
        Assert.Equal("CertificateStateException", (await account.Refused("DeleteCertificate", delete)).Code);
        await account.Call("UpdateCertificate", new { certificateId = device.Id, newStatus = "INACTIVE" });
        await account.Thing("pump", device);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeleteCertificate", new { certificateId = device.Id, forceDelete = true })).Code);
        await house.Store.Commit(new Batch().Delete(Althing.Core.Principals.ThingPrincipal.Table, account.Id, Key.Of("pump", "cert/" + device.Id)), default);
        await account.Policy("p", Document("iot:*", "*"));
        await account.Attach("p", device.Arn);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeleteCertificate", delete)).Code);
        await account.Call("DeleteCertificate", new { certificateId = device.Id, forceDelete = true });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeCertificate", delete)).Code);
        Assert.Empty((await account.Call("ListTargetsForPolicy", new { policyName = "p" }))["targets"]!.AsArray());
        Assert.Null(await house.Authority.Identify(device.Certificate, null, default));
    }

    [Fact]
    public async Task An_accepted_transfer_moves_the_certificate()
    {
        await using var house = new SecurityHouse();
        var (from, to) = (house.NewAccount(), house.NewAccount());
        var device = await from.Device(status: "INACTIVE");
        var answer = await from.Call("TransferCertificate", new { certificateId = device.Id, targetAwsAccount = to.Id.Value, transferMessage = "yours" });
        Assert.Equal(to.Arn("cert/" + device.Id), (string?)answer["transferredCertificateArn"]);
        Assert.Equal("PENDING_TRANSFER", await Status(from, device));
        Assert.Equal("PENDING_TRANSFER", await Status(to, device));
        Assert.Equal(to.Id.Value, (string?)(await from.Call("ListOutgoingCertificates", new { }))["outgoingCertificates"]![0]!["transferredTo"]);
        Assert.Empty((await to.Call("ListOutgoingCertificates", new { }))["outgoingCertificates"]!.AsArray());
        Assert.Equal("CertificateStateException", (await from.Refused("UpdateCertificate", new { certificateId = device.Id, newStatus = "ACTIVE" })).Code);
        Assert.Equal("CertificateStateException", (await to.Refused("UpdateCertificate", new { certificateId = device.Id, newStatus = "ACTIVE" })).Code);
        await to.Call("AcceptCertificateTransfer", new { certificateId = device.Id, setAsActive = true });
        Assert.Equal("ResourceNotFoundException", (await from.Refused("DescribeCertificate", new { certificateId = device.Id })).Code);
        var described = (await to.Call("DescribeCertificate", new { certificateId = device.Id }))["certificateDescription"]!;
        Assert.Equal(from.Id.Value, (string?)described["previousOwnedBy"]);
        Assert.NotNull(described["transferData"]!["acceptDate"]);
        Assert.Equal(to.Id, (await house.Authority.Identify(device.Certificate, null, default))!.Account);
        Assert.Equal("TransferAlreadyCompletedException", (await to.Refused("AcceptCertificateTransfer", new { certificateId = device.Id })).Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rejected_or_cancelled_transfer_gives_the_certificate_back(bool reject)
    {
        await using var house = new SecurityHouse();
        var (from, to, stranger) = (house.NewAccount(), house.NewAccount(), house.NewAccount());
        var device = await from.Device(status: "INACTIVE");
        await from.Call("TransferCertificate", new { certificateId = device.Id, targetAwsAccount = to.Id.Value });
        Assert.Equal("ResourceNotFoundException", (await stranger.Refused("AcceptCertificateTransfer", new { certificateId = device.Id })).Code);
        Assert.Equal("TransferAlreadyCompletedException", (await to.Refused("CancelCertificateTransfer", new { certificateId = device.Id })).Code);
        if (reject)
            await to.Call("RejectCertificateTransfer", new { certificateId = device.Id, rejectReason = "not mine" });
        else
            await from.Call("CancelCertificateTransfer", new { certificateId = device.Id });
        var described = (await from.Call("DescribeCertificate", new { certificateId = device.Id }))["certificateDescription"]!;
        Assert.Equal("INACTIVE", (string?)described["status"]);
        Assert.Equal(reject ? "not mine" : null, (string?)described["transferData"]?["rejectReason"]);
        Assert.Equal("ResourceNotFoundException", (await to.Refused("DescribeCertificate", new { certificateId = device.Id })).Code);
        Assert.Equal("TransferAlreadyCompletedException", (await from.Refused("CancelCertificateTransfer", new { certificateId = device.Id })).Code);
    }

    [Fact]
    public async Task Only_a_free_inactive_certificate_can_be_transferred()
    {
        await using var house = new SecurityHouse();
        var (from, to) = (house.NewAccount(), house.NewAccount());
        var device = await from.Device();
        var transfer = new { certificateId = device.Id, targetAwsAccount = to.Id.Value };
        Assert.Equal("CertificateStateException", (await from.Refused("TransferCertificate", transfer)).Code);
        await from.Call("UpdateCertificate", new { certificateId = device.Id, newStatus = "INACTIVE" });
        await from.Policy("p", Document("iot:*", "*"));
        await from.Attach("p", device.Arn);
        Assert.Equal("TransferConflictException", (await from.Refused("TransferCertificate", transfer)).Code);
        Assert.Equal("InvalidRequestException", (await from.Refused("TransferCertificate", new { certificateId = device.Id, targetAwsAccount = from.Id.Value })).Code);
    }

    [Fact]
    public async Task Garbage_and_expired_certificates_are_refused()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        using var expired = TestPki.SelfSigned("CN=old", new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero));
        foreach (var pem in new[] { "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", TestPki.Request("CN=x"), expired.ExportCertificatePem() })
        {
            Assert.Equal("CertificateValidationException", (await account.Refused("RegisterCertificateWithoutCA", new { certificatePem = pem })).Code);
            Assert.Equal("CertificateValidationException", (await account.Refused("RegisterCertificate", new { certificatePem = pem })).Code);
            Assert.Equal("CertificateValidationException", (await account.Refused("RegisterCACertificate", new { caCertificate = pem, certificateMode = "SNI_ONLY" })).Code);
        }
        using var device = TestPki.SelfSigned("CN=x");
        foreach (var csr in new[] { "garbage", device.ExportCertificatePem(), "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----" })
            Assert.Equal("InvalidRequestException", (await account.Refused("CreateCertificateFromCsr", new { certificateSigningRequest = csr })).Code);
    }

    [Fact]
    public async Task Two_accounts_may_share_a_certificate_without_ca_but_neither_registers_it_twice()
    {
        await using var house = new SecurityHouse();
        var (one, two) = (house.NewAccount(), house.NewAccount());
        var device = await one.Device();
        var pem = device.Certificate.ExportCertificatePem();
        var refusal = await one.Refused("RegisterCertificateWithoutCA", new { certificatePem = pem });
        Assert.Equal("ResourceAlreadyExistsException", refusal.Code);
        Assert.Contains(refusal.Fields, f => f.Value == device.Id);
        await two.Call("RegisterCertificateWithoutCA", new { certificatePem = pem, status = "ACTIVE" });
        Assert.Equal(two.Id, (await house.Authority.Identify(device.Certificate, $"{two.Id}.iot.test", default))!.Account);
        Assert.Equal(one.Id, (await house.Authority.Identify(device.Certificate, $"{one.Id}.iot.test", default))!.Account);
        Assert.Null(await house.Authority.Identify(device.Certificate, $"{house.NewAccount().Id}.iot.test", default));
    }

    static async Task<string?> Status(SecurityAccount account, TestDevice device) =>
        (string?)(await account.Call("DescribeCertificate", new { certificateId = device.Id }))["certificateDescription"]!["status"];
}

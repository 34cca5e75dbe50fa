using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Tests.ObjectStore;
using Althing.Tests.Tidy;

namespace Althing.Tests.Core;

/// <summary>Provisioning by clients that nobody has changed, and through crashes.</summary>
public sealed class ProvisioningClientTests
{
    const string Template = """
        {"Parameters":{"Serial":{"Type":"String"}},
         "Resources":{"thing":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":{"Fn::Join":["-",["pump",{"Ref":"Serial"}]]}}},
                      "certificate":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":{"Ref":"AWS::IoT::Certificate::Id"}}}},
         "DeviceConfiguration":{"hello":"world"}}
        """;

    const string Trust = """{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"iot.amazonaws.com"},"Action":"sts:AssumeRole"}}""";

    [Fact]
    public async Task The_device_SDK_provisions_itself()
    {
        Tool.Need("node", "aws");
        var folder = Path.Combine(Repository.Root, "tests", "Clients", "node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules")), "The JavaScript clients are not installed: 'npm ci' in tests/Clients/node.");
        await using var house = await House.Up();
        await house.Aws("iot", "create-provisioning-template", "--template-name", "T", "--enabled", "--template-body", Template, "--provisioning-role-arn", "arn:aws:iam::000000000000:role/p");
        var device = await house.Device("claim");
        var wish = new
        {
            host = "localhost", port = house.MqttsPort, ca = Path.Combine(house.Data, "ca.pem"), certificate = device.Certificate, key = device.Key,
            template = "T", csr = TestPki.Request("CN=own"),
        };
        Assert.Equal("""
            keys 64 -----BEGIN RSA PRIVATE KEY-----
            thing pump-1 {"hello":"world"}
            csr -----BEGIN CERTIFICATE-----
            refused 400 InvalidCertificateOwnershipToken

            """, (await house.Run("node", Path.Combine(folder, "identity.js"), JsonSerializer.Serialize(wish))).Output);
    }

    /// <param name="elsewhere">Whether the platform keeps its objects at another one.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_of_things_is_registered_once_whatever_happens_to_the_platform(bool elsewhere)
    {
        Tool.Need("aws");
        await using var houses = elsewhere ? await TwoHouses.Up() : null;
        await using var alone = elsewhere ? null : await House.Up();
        var house = alone ?? houses!.Front;
        await WithBucket(house);
        const int things = 400;
        var lines = Enumerable.Range(1, things).Select(n => $$"""{"Serial":"{{n}}"}""").ToList();
        lines.Insert(10, "{ broken");
        lines.Insert(20, $$"""{"Serial":"{{new string('x', 1 << 20)}}"}""");
        lines.Insert(30, """{"Serial":"not a name"}""");
        lines.Insert(40, "");
        await File.WriteAllLinesAsync(Path.Combine(house.Folder, "things.json"), lines);
        await house.Aws("s3", "cp", Path.Combine(house.Folder, "things.json"), "s3://factory/things.json", "--quiet");
        const string body = """{"Parameters":{"Serial":{"Type":"String"}},"Resources":{"thing":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":{"Fn::Sub":"pump-${Serial}"}}}}}""";
        var task = (string)(await house.Aws("iot", "start-thing-registration-task", "--template-body", body, "--input-file-bucket", "factory",
            "--input-file-key", "things.json", "--role-arn", "arn:aws:iam::000000000000:role/factory"))["taskId"]!;
        Task<JsonNode> Describe() => house.Aws("iot", "describe-thing-registration-task", "--task-id", task);
        for (var kills = 0; kills < 2; kills++)
        {
            await house.Kill();
            await house.Start();
        }
        JsonNode state;
        do
            state = await Describe();
        while ((string)state["status"]! == "InProgress");
        Assert.Equal(("Completed", things, 3, 100), ((string)state["status"]!, (int)state["successCount"]!, (int)state["failureCount"]!, (int)state["percentageProgress"]!));
        var results = await Report("RESULTS");
        Assert.Equal(Enumerable.Range(1, things).Select(n => $"arn:aws:iot:eu-west-1:000000000000:thing/pump-{n}"), results.Select(r => (string)r["response"]!["ResourceArns"]!["thing"]!));
        Assert.Equal([11, 21, 31], (await Report("ERRORS")).Select(e => (int)e["lineNumber"]!));

        async Task<IReadOnlyList<JsonNode>> Report(string type)
        {
            var links = await house.Aws("iot", "list-thing-registration-task-reports", "--task-id", task, "--report-type", type);
            using var http = new HttpClient();
            var text = await http.GetStringAsync((string)links["resourceLinks"]![0]!);
            return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!)];
        }
    }

    /// <summary>A bucket, and a role that may read what is in it.</summary>
    static async Task WithBucket(House house)
    {
        await house.Aws("s3api", "create-bucket", "--bucket", "factory", "--create-bucket-configuration", "LocationConstraint=eu-west-1");
        await house.Aws("iam", "create-role", "--role-name", "factory", "--assume-role-policy-document", Trust);
        await house.Aws("iam", "put-role-policy", "--role-name", "factory", "--policy-name", "read", "--policy-document",
            """{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::factory/*"}}""");
    }
}

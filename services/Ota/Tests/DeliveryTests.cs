using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Simulator;
using Althing.Tests.Broker;

namespace Althing.Tests.Ota;

/// <summary>Files as devices fetch them ("Using AWS IoT MQTT-based file delivery in devices").</summary>
public sealed class DeliveryTests(OtaHouse house) : IClassFixture<OtaHouse>
{
    static byte[] Noise(int bytes) => RandomNumberGenerator.GetBytes(bytes);

    async Task<(OtaAccount Account, StreamDevice Device, byte[] Content)> Stream(int bytes, int qos = 0)
    {
        var account = await house.NewAccount();
        var content = Noise(bytes);
        await account.Put("file.bin", content);
        await account.Stream("s", account.File(0, "file.bin"));
        return (account, await account.Device("pump", "s", qos), content);
    }

    static string Data(byte[] content, int block, int blockBytes, string? token = null)
    {
        var part = content.AsSpan(block * blockBytes, Math.Min(blockBytes, content.Length - block * blockBytes));
        return $$"""data/json {{{(token is null ? "" : $"\"c\":\"{token}\",")}}"f":0,"l":{{part.Length}},"i":{{block}},"p":"{{Convert.ToBase64String(part)}}"}""";
    }

    [Fact]
    public async Task A_device_asks_what_a_stream_has_in_json_and_in_cbor()
    {
        var account = await house.NewAccount();
        await account.Put("a", Noise(131_072));
        await account.Put("b", Noise(51_200));
        await account.Call("CreateStream", new { streamId = "ABC", description = "This is stream ABC.", files = new[] { account.File(0, "a"), account.File(1, "b") }, roleArn = account.RoleArn });
        await using var device = await account.Device("pump", "ABC");
        Assert.Equal("""description/json {"c":"ec944cfb","s":1,"d":"This is stream ABC.","r":[{"f":0,"z":131072},{"f":1,"z":51200}]}""", await device.Answer("describe/json", """{"c":"ec944cfb"}"""));
        Assert.StartsWith("""description/json {"s":1,""", await device.Answer("describe/json", ""), StringComparison.Ordinal);
        var answer = Assert.Single(await device.Ask("describe/cbor", [0xA1, 0x61, (byte)'c', 0x61, (byte)'t']));
        Assert.EndsWith("/description/cbor", answer.Topic, StringComparison.Ordinal);
        var cbor = new CborReader(answer.Bytes);
        Assert.Equal(4, cbor.ReadStartMap());
        Assert.Equal(("c", "t", "s", 1), (cbor.ReadTextString(), cbor.ReadTextString(), cbor.ReadTextString(), cbor.ReadInt32()));
        await account.Call("UpdateStream", new { streamId = "ABC", description = "x" });
        Assert.Equal("""description/json {"s":2,"d":"x","r":[{"f":0,"z":131072},{"f":1,"z":51200}]}""", await device.Answer("describe/json", "{}"));
        Assert.Equal("InvalidRequest", await device.Refused($$"""{"c":"{{new string('x', 65)}}"}""", "describe/json"));
        await account.Call("DeleteStream", new { streamId = "ABC" });
        Assert.Equal("ResourceNotFound", await device.Refused("{}", "describe/json"));
    }

    [Fact]
    public async Task Blocks_come_by_number_by_bitmap_and_by_neither_and_128_kb_at_most()
    {
        var (_, device, content) = await Stream(300_000);
        await using var owned = device;
        Assert.Equal([Data(content, 0, 256), Data(content, 1, 256)], await device.Ask("get/json", """{"f":0,"l":256,"n":2}"""));
        Assert.Equal([.. new[] { 20, 21, 24, 43 }.Select(b => Data(content, b, 256, "1"))],
            await device.Ask("get/json", """{"c":"1","s":1,"l":256,"f":0,"o":20,"n":32,"b":"0x130080"}"""));
        Assert.Equal([Data(content, 20, 256), Data(content, 21, 256)], await device.Ask("get/json", """{"l":256,"f":0,"o":20,"n":2,"b":"130080"}"""));
        // The last block is as long as it is.
        Assert.Equal([Data(content, 2, 100_000)], await device.Ask("get/json", """{"f":0,"l":100000,"o":2,"n":9}"""));
        Assert.Equal([Data(content, 73, 4096)], await device.Ask("get/json", """{"f":0,"l":4096,"o":73}"""));
        Assert.Equal(32, (await device.Ask("get/json", """{"f":0,"l":4096,"n":98304}""")).Count);
        Assert.Equal(32, (await device.Ask("get/json", """{"f":0,"l":4096}""")).Count);
        Assert.Equal([Data(content, 1, 131_072)], await device.Ask("get/json", """{"f":0,"l":131072,"o":1,"n":5}"""));
    }

    [Theory]
    [InlineData("get/json", """{"f":0,"l":255}""", "BlockSizeOutOfBounds")]
    [InlineData("get/json", """{"f":0,"l":131073}""", "BlockSizeOutOfBounds")]
    [InlineData("get/json", """{"f":0,"l":-9223372036854775808}""", "BlockSizeOutOfBounds")]
    [InlineData("get/json", """{"f":0}""", "InvalidRequest")]
    [InlineData("get/json", """{"l":256}""", "InvalidRequest")]
    [InlineData("get/json", "", "InvalidRequest")]
    [InlineData("get/json", """{"f":256,"l":256}""", "InvalidRequest")]
    [InlineData("get/json", """{"f":"0","l":256}""", "InvalidRequest")]
    [InlineData("get/json", """{"f":0.5,"l":256}""", "InvalidRequest")]
    [InlineData("get/json", """{"f":0,"l":[]}""", "InvalidRequest")]
    [InlineData("get/json", """{"f":0,"l":256,"b":7}""", "InvalidRequest")]
    [InlineData("get/json", """{"f":0,"l":256,"b":"0x1"}""", "InvalidRequest")]
    [InlineData("get/json", """{"f":0,"l":256,"b":"0xGG"}""", "InvalidRequest")]
    [InlineData("get/json", """{"f":0,"l":256,"s":65536}""", "InvalidRequest")]
    [InlineData("get/json", """{"f":0,"l":256,"o":-1}""", "OffsetOutOfBounds")]
    [InlineData("get/json", """{"f":0,"l":256,"o":98305}""", "OffsetOutOfBounds")]
    [InlineData("get/json", """{"f":0,"l":256,"n":98305}""", "BlockCountLimitExceeded")]
    [InlineData("get/json", """{"f":0,"l":256,"n":-1}""", "BlockCountLimitExceeded")]
    [InlineData("get/json", """{"f":0,"l":256,"o":4}""", "ResourceNotFound")]
    [InlineData("get/json", """{"f":0,"l":256,"b":"0x00"}""", "ResourceNotFound")]
    [InlineData("get/json", """{"f":1,"l":256}""", "ResourceNotFound")]
    [InlineData("get/json", """{"f":0,"l":256,"s":2}""", "VersionMismatch")]
    [InlineData("get/json", """{"f":0,"f":0,"l":256}""", "InvalidJson")]
    [InlineData("get/json", "[]", "InvalidJson")]
    [InlineData("get/json", "{\"f\":", "InvalidJson")]
    [InlineData("describe/json", "7", "InvalidJson")]
    [InlineData("describe/json", """{"c":7}""", "InvalidRequest")]
    [InlineData("get", "{}", "InvalidTopic")]
    [InlineData("get/xml", "{}", "InvalidTopic")]
    [InlineData("take/json", "{}", "InvalidTopic")]
    public async Task What_cannot_be_is_rejected_with_the_codes_of_the_documentation(string topic, string payload, string code)
    {
        var (_, device, _) = await Stream(1000);
        await using var owned = device;
        Assert.Equal(code, await device.Refused(payload, topic));
    }

    [Fact]
    public async Task A_bitmap_may_have_12288_bytes_and_a_refusal_carries_the_token_that_is_one()
    {
        var (_, device, content) = await Stream(1000);
        await using var owned = device;
        var bitmap = string.Concat(Enumerable.Repeat("ff", 12_288));
        Assert.Equal(4, (await device.Ask("get/json", $$"""{"f":0,"l":256,"b":"0x{{bitmap}}"}""")).Count);
        Assert.Equal("BlockBitmapLimitExceeded", await device.Refused($$"""{"f":0,"l":256,"b":"{{bitmap}}00"}"""));
        Assert.EndsWith(""","c":"mine"}""", await device.Answer("get/json", """{"c":"mine","f":9,"l":256}"""), StringComparison.Ordinal);
        Assert.EndsWith(""","c":"mine"}""", await device.Answer("get/json", """{"f":0,"l":1,"c":"mine"}"""), StringComparison.Ordinal);
        Assert.DoesNotContain("\"c\"", await device.Answer("get/json", $$"""{"c":"{{new string('é', 33)}}","f":0,"l":256}"""), StringComparison.Ordinal);
        Assert.Equal(4, (await device.Ask("get/json", $$"""{"c":"{{new string('é', 32)}}","f":0,"l":256}""")).Count);
        Assert.Equal(1000, content.Length);
    }

    [Fact]
    public async Task Cbor_may_be_of_definite_or_indefinite_length_or_lack_its_end()
    {
        var (_, device, content) = await Stream(1000);
        await using var owned = device;
        // {c: "rdy", f: 0, l: 256, o: 1, b: 03, n: 1}, as FreeRTOS writes it.
        Assert.Single(await device.Ask("get/cbor", Convert.FromHexString("A6616363726479616600616C190100616F0161624103616E01")));
        // {_ f: 0, l: 256, b: (_ 06, )}, with its end and without.
        var indefinite = Convert.FromHexString("BF616600616C19010061625F410640FFFF");
        foreach (var form in new[] { indefinite, indefinite[..^1] })
        {
            var answers = await device.Ask("get/cbor", form);
            Assert.Equal(2, answers.Count);
            var flash = new byte[1000];
            var download = new StreamDownload("pump", "s", 0, 1000, 256, (at, block) => block.CopyTo(flash.AsMemory((int)at)));
            foreach (var answer in answers)
                download.Take(answer.Bytes);
            Assert.Equal(content[256..768], flash[256..768]);
        }
        // A text of digits is a bitmap as well, a token may be bytes, and what means nothing is passed over.
        Assert.Equal(2, (await device.Ask("get/cbor", Convert.FromHexString("A56163417461660061786161616C1901006162623036"))).Count);
        foreach (var bad in new[] { "BF616600616C19", "A2616600", "80", "A161660000", "FF", "A2616600616600", "BF61", "A1005F" })
            Assert.Contains("InvalidCbor", Assert.Single(await device.Ask("get/cbor", Convert.FromHexString(bad))).Payload, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_overwritten_deleted_or_taken_from_the_role_is_not_delivered()
    {
        var account = await house.NewAccount();
        var first = Noise(600);
        var version = await account.Put("f", first);
        await account.Stream("latest", account.File(0, "f"));
        await account.Stream("fixed", account.File(0, "f", version));
        await using var latest = await account.Device("a", "latest");
        await using var @fixed = await account.Device("a", "fixed");
        var get = """{"f":0,"l":256,"s":1}""";
        Assert.Equal(3, (await latest.Ask("get/json", get)).Count);
        var second = Noise(300);
        await account.Put("f", second);
        Assert.Equal("ETagMismatch", await latest.Refused(get));
        Assert.Equal([.. Enumerable.Range(0, 3).Select(b => Data(first, b, 256))], await @fixed.Ask("get/json", get));
        await account.Call("UpdateStream", new { streamId = "latest", files = new[] { account.File(0, "f") } });
        Assert.Equal("VersionMismatch", await latest.Refused(get));
        Assert.Equal([.. Enumerable.Range(0, 2).Select(b => Data(second, b, 256))], await latest.Ask("get/json", """{"f":0,"l":256,"s":2}"""));
        await account.Role("streams", "s3:ListBucket", "*");
        Assert.Equal("Unauthorized", await @fixed.Refused(get));
        await account.Role("streams", "s3:GetObject", "*");
        Assert.Equal("Unauthorized", await @fixed.Refused(get));
        await account.Role("streams", "s3:GetObjectVersion", "*");
        Assert.Equal(3, (await @fixed.Ask("get/json", get)).Count);
    }

    [Fact]
    public async Task Devices_of_another_account_find_nothing_and_who_may_not_receive_gets_nothing()
    {
        var (account, device, _) = await Stream(1000);
        await using var owned = device;
        var other = await house.NewAccount();
        await using var stranger = await other.Device("pump", "s");
        Assert.Equal("ResourceNotFound", await stranger.Refused("""{"f":0,"l":256}"""));
        await using var barred = await account.Device("barred", "s");
        house.Authority.Deny(DeviceAction.Receive, "$aws/things/barred/streams/s/data/json");
        Assert.Empty(await barred.Ask("get/json", """{"f":0,"l":256}"""));
        Assert.Equal("ResourceNotFound", await barred.Refused("""{"f":9,"l":256}"""));
    }

    [Fact]
    public async Task Answers_have_the_quality_of_service_of_the_request_and_its_correlation_data()
    {
        var (account, device, content) = await Stream(1000, qos: 1);
        await using var owned = device;
        Assert.All(await device.Ask("get/json", Encoding.UTF8.GetBytes("""{"f":0,"l":256}""")), g => Assert.Equal(1, g.QoS));
        await using var client = await TestClient.Connect(house.Port, "five", c => (c.Account, c.Version) = (account.Id.Value, MqttVersion.V5));
        await client.Subscribe("$aws/things/pump/streams/s/data/json", 1);
        await client.Publish("$aws/things/pump/streams/s/get/json", """{"f":0,"l":1000}""", properties: new() { CorrelationData = new byte[] { 7 } });
        var got = await client.Message();
        Assert.Equal(0, got.QoS);
        Assert.Equal(new byte[] { 7 }, got.Properties!.CorrelationData);
        Assert.Equal(Data(content, 0, 1000), "data/json " + got.Payload);
    }

    [Fact]
    public async Task A_file_is_read_once_in_large_ranges_however_many_devices_fetch_it_and_is_not_read_for_nobody()
    {
        var (account, device, content) = await Stream(2_500_000);
        await using var owned = device;
        var before = house.Files.Reads;
        var downloads = await Task.WhenAll(Enumerable.Range(0, 10).Select(async i =>
        {
            await using var fetching = await account.Device($"thing-{i}", "s");
            var flash = new byte[content.Length];
            var download = new StreamDownload($"thing-{i}", "s", 0, content.Length, 10_000, (at, block) => block.CopyTo(flash.AsMemory((int)at)));
            while (!download.IsComplete)
            {
                foreach (var got in await fetching.Ask("get/cbor", download.NextRequest()))
                    download.Take(got.Bytes);
            }
            return flash;
        }));
        Assert.All(downloads, flash => Assert.True(flash.AsSpan().SequenceEqual(content)));
        Assert.Equal(3, house.Files.Reads - before);
        await account.Put("other", Noise(1000));
        await account.Stream("t", account.File(0, "other"));
        await using var deaf = await TestClient.Connect(house.Port, "deaf", c => c.Account = account.Id.Value);
        Assert.Equal(ReasonCode.Success, await deaf.PublishSurely("$aws/things/x/streams/t/get/json", """{"f":0,"l":256}"""));
        Assert.Equal(3, house.Files.Reads - before);
    }
}

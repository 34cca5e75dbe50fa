using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Mqtt;
using Althing.Tests.Broker;
using Althing.Tests.Tidy;

namespace Althing.Tests.Core;

/// <summary>Shadows by clients that nobody has changed, and through crashes.</summary>
public sealed class ShadowClientTests
{
    [Fact]
    public async Task The_device_SDK_works_with_shadows()
    {
        Tool.Need("node");
        var folder = Path.Combine(Repository.Root, "tests", "Clients", "node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules")), "The JavaScript clients are not installed: 'npm ci' in tests/Clients/node.");
        await using var house = await House.Up();
        var device = await house.Device("sdk");
        var wish = new { host = "localhost", port = house.MqttsPort, ca = Path.Combine(house.Data, "ca.pem"), certificate = device.Certificate, key = device.Key, thing = "sdk" };
        const string whole = """
            get 404
            update 1 {"desired":{"level":7},"reported":{"level":3}}
            delta {"level":7}
            documents {"desired":{"level":7},"reported":{"level":3}}
            stale 409
            get 2 {"desired":{"level":7},"reported":{"level":7}}
            delete 2

            """;
        Assert.Equal(whole + whole, (await house.Run("node", Path.Combine(folder, "shadow.js"), JsonSerializer.Serialize(wish))).Output);
    }

    [Fact]
    public async Task Boto3_works_with_shadows()
    {
        Tool.Need("python3");
        await using var house = await House.Up();
        Assert.SkipUnless((await house.TryRun("python3", "-c", "import boto3")).ExitCode == 0, "python3-boto3 is not installed.");
        await File.WriteAllTextAsync(Path.Combine(house.Folder, "try.py"), """
            import boto3, json
            data = boto3.client('iot-data')
            def update(document, **more):
                return json.load(data.update_thing_shadow(thingName='pump', payload=json.dumps(document), **more)['payload'])
            try:
                data.get_thing_shadow(thingName='pump')
                assert False
            except data.exceptions.ResourceNotFoundException as refusal:
                assert refusal.response['ResponseMetadata']['HTTPStatusCode'] == 404
            assert update({'state': {'desired': {'on': True, 'text': "it's é"}}})['version'] == 1
            try:
                update({'state': {'desired': {'on': False}}, 'version': 5})
                assert False
            except data.exceptions.ConflictException:
                pass
            try:
                update({'state': {'desired': {'x': 'x' * 9000}}})
                assert False
            except data.exceptions.RequestEntityTooLargeException:
                pass
            for name in ['b', 'a', 'c']:
                update({'state': {'reported': {'name': name}}}, shadowName=name)
            assert data.list_named_shadows_for_thing(thingName='pump', pageSize=2)['results'] == ['a', 'b']
            got = json.load(data.get_thing_shadow(thingName='pump')['payload'])
            assert got['state'] == {'desired': {'on': True, 'text': "it's é"}, 'delta': {'on': True, 'text': "it's é"}}, got
            assert json.load(data.delete_thing_shadow(thingName='pump', shadowName='a')['payload'])['version'] == 1
            assert data.list_named_shadows_for_thing(thingName='pump')['results'] == ['b', 'c']
            print('well')
            """);
        Assert.Contains("well", (await house.Run("python3", "try.py")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_accepted_survives_kills_and_nothing_is_counted_twice()
    {
        const int devices = 8;
        await using var house = await House.Up("--mqtt", "0", "--anonymous");
        var accepted = new int[devices];
        var versions = new long[devices];
        for (var round = 0; round < 5; round++)
        {
            var lives = Enumerable.Range(0, devices).Select(Live).ToList();
            await Eventually.True(() => accepted.Sum() >= (round + 1) * 200);
            await house.Kill();
            await Task.WhenAll(lives);
            await house.Start();
            for (var i = 0; i < devices; i++)
            {
                var (status, shadow) = await house.Call(HttpMethod.Get, $"/things/crash-{i}/shadow", service: "iotdata");
                if (accepted[i] == 0 && status == 404)
                    continue;
                // The value n was set by the update that made version n: both are of one write.
                Assert.Equal((long)shadow["version"]!, (long)shadow["state"]!["reported"]!["n"]!);
                // At most the one whose answer was lost is ahead.
                Assert.InRange((long)shadow["version"]!, versions[i], versions[i] + 1);
                versions[i] = (long)shadow["version"]!;
            }
        }
        Assert.Equal(5, house.Kills);

        async Task Live(int i)
        {
            try
            {
                await using var device = await TestClient.Connect(house.MqttPort!.Value, $"crash-{i}", c => (c.Account, c.Password) = (null, null));
                await device.Subscribe($"$aws/things/crash-{i}/shadow/update/accepted");
                while (true)
                {
                    await device.Publish($"$aws/things/crash-{i}/shadow/update", $$$"""{"state":{"reported":{"n":{{{versions[i] + 1}}}}},"version":{{{versions[i]}}}}""", 1);
                    versions[i] = (long)JsonNode.Parse(await device.Payload())!["version"]!;
                    Interlocked.Increment(ref accepted[i]);
                    await device.Expect(PacketType.PubAck);
                }
            }
            catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException or Xunit.Sdk.XunitException)
            {
                // It was killed.
            }
        }
    }
}

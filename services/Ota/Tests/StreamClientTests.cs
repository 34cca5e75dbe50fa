using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Althing.Mqtt;
using Althing.Simulator;
using Althing.Tests.Broker;

namespace Althing.Tests.Ota;

/// <summary>Streams with clients that nobody has changed, and firmware on its way to many devices while the platform is killed.</summary>
public sealed class StreamClientTests
{
    const string Trust = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"iot.amazonaws.com"},"Action":"sts:AssumeRole"}]}""";
    const string Reading = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::firmware/*"}]}""";

    [Fact]
    public async Task Boto3_makes_changes_lists_and_deletes_streams()
    {
        Tool.Need("python3");
        await using var house = await House.Up();
        Assert.SkipUnless((await house.TryRun("python3", "-c", "import boto3")).ExitCode == 0, "python3-boto3 is not installed.");
        await File.WriteAllTextAsync(Path.Combine(house.Folder, "try.py"), $$$"""
            import boto3
            def client(name):
                return boto3.client(name, endpoint_url='{{{house.Endpoint}}}')
            iot, s3, iam = client('iot'), client('s3'), client('iam')
            role = iam.create_role(RoleName='streams', AssumeRolePolicyDocument='{{{Trust}}}')['Role']['Arn']
            iam.put_role_policy(RoleName='streams', PolicyName='read', PolicyDocument='{{{Reading}}}')
            s3.create_bucket(Bucket='firmware', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
            s3.put_bucket_versioning(Bucket='firmware', VersioningConfiguration={'Status': 'Enabled'})
            version = s3.put_object(Bucket='firmware', Key='a b.bin', Body=b'x' * 1000)['VersionId']
            files = [{'fileId': 0, 's3Location': {'bucket': 'firmware', 'key': 'a b.bin'}}, {'fileId': 1, 's3Location': {'bucket': 'firmware', 'key': 'a b.bin', 'version': version}}]
            made = iot.create_stream(streamId='one', description='first', files=files, roleArn=role, tags=[{'Key': 'team', 'Value': 'pumps'}])
            assert made['streamVersion'] == 1 and made['streamId'] == 'one' and made['description'] == 'first', made
            assert iot.list_tags_for_resource(resourceArn=made['streamArn'])['tags'] == [{'Key': 'team', 'Value': 'pumps'}]
            assert iot.update_stream(streamId='one', description='second')['streamVersion'] == 2
            info = iot.describe_stream(streamId='one')['streamInfo']
            assert info['files'] == files and info['roleArn'] == role and info['streamVersion'] == 2 and info['lastUpdatedAt'] >= info['createdAt'], info
            for i in range(5):
                iot.create_stream(streamId=f's{i}', files=files[:1], roleArn=role)
            pages = iot.get_paginator('list_streams').paginate(ascendingOrder=True, PaginationConfig={'PageSize': 2})
            assert [s['streamId'] for p in pages for s in p['streams']] == ['one', 's0', 's1', 's2', 's3', 's4']
            for call, wanted in [
                (lambda: iot.create_stream(streamId='one', files=files, roleArn=role), 'ResourceAlreadyExistsException'),
                (lambda: iot.create_stream(streamId='two', files=[{'fileId': 0, 's3Location': {'bucket': 'firmware', 'key': 'none'}}], roleArn=role), 'ResourceNotFoundException'),
                (lambda: iot.describe_stream(streamId='two'), 'ResourceNotFoundException'),
                (lambda: iot.delete_stream(streamId='two'), 'ResourceNotFoundException'),
            ]:
                try:
                    call()
                    assert False, wanted
                except iot.exceptions.ClientError as refusal:
                    assert refusal.response['Error']['Code'] == wanted, refusal
            iot.delete_stream(streamId='one')
            assert [s['streamId'] for s in iot.list_streams()['streams']] == ['s4', 's3', 's2', 's1', 's0']
            print('well')
            """);
        Assert.Contains("well", (await house.Run("python3", "try.py")).Output, StringComparison.Ordinal);
    }

    /// <summary><c>ALTHING_STREAM_DEVICES</c> and <c>ALTHING_STREAM_MB</c> make it larger; <c>bench streams</c> has the figures.</summary>
    [Fact]
    public async Task Firmware_reaches_many_devices_byte_for_byte_though_blocks_are_lost_and_repeated_and_the_platform_is_killed()
    {
        var devices = Setting("ALTHING_STREAM_DEVICES", 20);
        var content = RandomNumberGenerator.GetBytes(Setting("ALTHING_STREAM_MB", 3) * 1_000_000 + 77);
        await using var house = await House.Up("--mqtt", "0", "--anonymous");
        await Prepare(house, content);
        var all = Enumerable.Range(0, devices).Select(i => new Fetching($"pump-{i}", i, content.Length)).ToList();
        for (var kill = 0; kill < 2; kill++)
        {
            using var stop = new CancellationTokenSource();
            var third = all.Sum(f => f.Download.Missing) * 2 / 3;
            var running = all.Select(f => f.Run(house.MqttPort!.Value, stop.Token)).ToList();
            while (all.Sum(f => f.Download.Missing) > third)
                await Task.Delay(1);
            await house.Kill();
            await stop.CancelAsync();
            await Task.WhenAll(running);
            await house.Start();
        }
        Assert.Equal(2, house.Kills);
        Assert.Contains(all, f => !f.Download.IsComplete);
        await Task.WhenAll(all.Select(f => f.Run(house.MqttPort!.Value, CancellationToken.None)));
        Assert.All(all, f => Assert.True(f.Flash.AsSpan().SequenceEqual(content)));
        Assert.True(all.Sum(f => f.Lost) > 0 && all.Sum(f => f.Download.Repeated) > 0, "Nothing was lost or repeated.");
    }

    static int Setting(string name, int otherwise) => int.Parse(Environment.GetEnvironmentVariable(name) ?? otherwise.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    static async Task Prepare(House house, byte[] content)
    {
        Tool.Need("aws");
        await house.Aws("iam", "create-role", "--role-name", "streams", "--assume-role-policy-document", Trust);
        await house.Aws("iam", "put-role-policy", "--role-name", "streams", "--policy-name", "read", "--policy-document", Reading);
        await File.WriteAllBytesAsync(Path.Combine(house.Folder, "firmware.bin"), content);
        await house.Aws("s3api", "create-bucket", "--bucket", "firmware", "--create-bucket-configuration", "LocationConstraint=eu-west-1");
        await house.Aws("s3api", "put-object", "--bucket", "firmware", "--key", "pump.bin", "--body", "firmware.bin");
        var (status, _) = await house.Call(HttpMethod.Post, "/streams/pump", new JsonObject
        {
            ["roleArn"] = "arn:aws:iam::000000000000:role/streams",
            ["files"] = new JsonArray(new JsonObject { ["fileId"] = 0, ["s3Location"] = new JsonObject { ["bucket"] = "firmware", ["key"] = "pump.bin" } }),
        });
        Assert.Equal(200, status);
    }

    /// <summary>A device that loses one block of thirty, asks twice now and then, and begins anew where it was after a break.</summary>
    sealed class Fetching
    {
        readonly string thing;
        readonly Random random;

        public Fetching(string thing, int seed, int bytes)
        {
            (this.thing, random, Flash) = (thing, new(seed), new byte[bytes]);
            Download = new(thing, "pump", 0, bytes, 16_384, (at, block) => block.CopyTo(Flash.AsMemory((int)at)));
        }

        public byte[] Flash { get; }

        public StreamDownload Download { get; }

        public int Lost { get; private set; }

        public async Task Run(int port, CancellationToken stop)
        {
            try
            {
                await using var client = await TestClient.Connect(port, thing, c => (c.Account, c.Password, c.KeepAlive) = (null, null, 600));
                await client.Subscribe(Download.DataTopic);
                ushort id = 0;
                while (!Download.IsComplete && !stop.IsCancellationRequested)
                {
                    for (var times = random.Next(8) == 0 ? 2 : 1; times > 0; times--)
                    {
                        await client.Publish(Download.RequestTopic, Download.NextRequest(), 1, id: ++id);
                        // All that it asks for stands before the acknowledgement.
                        await client.Expect(PacketType.PubAck);
                    }
                    while (client.Waiting > 0)
                    {
                        var got = await client.Message();
                        if (random.Next(30) == 0)
                            Lost++;
                        else
                            Download.Take(got.Bytes);
                    }
                }
            }
            catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException)
            {
                // Killed.
            }
        }
    }
}

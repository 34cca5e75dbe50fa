using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Tests.Broker;
using Althing.Tests.Tidy;

namespace Althing.Tests.Jobs;

/// <summary>Jobs by clients that nobody has changed, and through kills.</summary>
public sealed class JobClientTests
{
    [Fact]
    public async Task The_device_SDK_works_through_jobs()
    {
        Tool.Need("node");
        var folder = Path.Combine(Repository.Root, "tests", "Clients", "node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules")), "The JavaScript clients are not installed: 'npm ci' in tests/Clients/node.");
        await using var house = await House.Up();
        var device = await house.Device("sdk");
        await house.Call(HttpMethod.Post, "/things/sdk", new { });
        foreach (var job in new[] { "first", "second" })
        {
            var targets = new[] { device.Arn[..device.Arn.LastIndexOf(':')] + ":thing/sdk" };
            Assert.Equal(200, (await house.Call(HttpMethod.Put, "/jobs/" + job, new { targets, document = """{"operation":"install"}""" })).Status);
            await Counted(house, job, "numberOfQueuedThings", 1);
        }
        var wish = new { host = "localhost", port = house.MqttsPort, ca = Path.Combine(house.Data, "ca.pem"), certificate = device.Certificate, key = device.Key, thing = "sdk" };
        Assert.Equal("""
            pending  first,second true
            next first QUEUED {"operation":"install"}
            started first 2 true {"step":"one"}
            stale VersionMismatch 2
            done SUCCEEDED 3
            told QUEUED second
            next is second
            late InvalidStateTransition SUCCEEDED
            none ResourceNotFound
            empty true

            """, (await house.Run("node", Path.Combine(folder, "jobs.js"), JsonSerializer.Serialize(wish))).Output);
        await Counted(house, "second", "numberOfFailedThings", 1);
    }

    [Fact]
    public async Task Boto3_manages_jobs_and_a_device_reports_with_its_certificate()
    {
        Tool.Need("python3", "curl");
        await using var house = await House.Up();
        Assert.SkipUnless((await house.TryRun("python3", "-c", "import boto3")).ExitCode == 0, "python3-boto3 is not installed.");
        await File.WriteAllTextAsync(Path.Combine(house.Folder, "try.py"), """
            import boto3, json, time
            iot, data = boto3.client('iot'), boto3.client('iot-jobs-data')
            s3, iam = boto3.client('s3'), boto3.client('iam')
            things = ['pump-%d' % i for i in range(3)]
            group = iot.create_thing_group(thingGroupName='pumps')['thingGroupArn']
            for thing in things:
                iot.create_thing(thingName=thing)
                iot.add_thing_to_thing_group(thingGroupName='pumps', thingName=thing)
            s3.create_bucket(Bucket='firmware')
            s3.put_object(Bucket='firmware', Key='v2.bin', Body=b'new')
            s3.put_object(Bucket='firmware', Key='job.json', Body=b'{"image":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/firmware/v2.bin}"}')
            role = iam.create_role(RoleName='downloads', AssumeRolePolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [
                {'Effect': 'Allow', 'Principal': {'Service': 'iot.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}))['Role']['Arn']
            iam.put_role_policy(RoleName='downloads', PolicyName='read', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [
                {'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::firmware/*'}]}))
            iot.create_job(jobId='update', targets=[group], documentSource='https://s3.amazonaws.com/firmware/job.json', targetSelection='SNAPSHOT',
                presignedUrlConfig={'roleArn': role, 'expiresInSec': 300}, timeoutConfig={'inProgressTimeoutInMinutes': 30}, tags=[{'Key': 'k', 'Value': 'v'}])
            def until(status, **counts):
                for _ in range(200):
                    job = iot.describe_job(jobId='update')['job']
                    if job['status'] == status and all(job['jobProcessDetails'][n] == c for n, c in counts.items()) and not job['isConcurrent']:
                        return job
                    time.sleep(0.05)
                raise Exception(job)
            until('IN_PROGRESS', numberOfQueuedThings=3)
            pages = iot.get_paginator('list_job_executions_for_job').paginate(jobId='update', PaginationConfig={'PageSize': 2})
            assert [e['thingArn'].split('/')[1] for p in pages for e in p['executionSummaries']] == things
            execution = data.start_next_pending_job_execution(thingName='pump-0')['execution']
            assert execution['status'] == 'IN_PROGRESS' and isinstance(execution['queuedAt'], int), execution
            import urllib.request
            assert urllib.request.urlopen(json.loads(execution['jobDocument'])['image']).read() == b'new'
            assert data.update_job_execution(jobId='update', thingName='pump-0', status='SUCCEEDED', includeJobExecutionState=True)['executionState']['versionNumber'] == 3
            try:
                data.describe_job_execution(jobId='update', thingName='pump-0')
                assert False
            except data.exceptions.TerminalStateException:
                pass
            iot.cancel_job_execution(jobId='update', thingName='pump-1')
            until('IN_PROGRESS', numberOfQueuedThings=1, numberOfSucceededThings=1, numberOfCanceledThings=1)
            print('well')
            """);
        Assert.Contains("well", (await house.Run("python3", "try.py")).Output, StringComparison.Ordinal);
        var device = await house.Device("reporter", """
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iotjobsdata:UpdateJobExecution","iotjobsdata:GetPendingJobExecutions"],"Resource":"*"}]}
            """);
        var answer = await Curl("GET", "/things/pump-2/jobs", null);
        Assert.Equal("update", (string)JsonNode.Parse(answer)!["queuedJobs"]![0]!["jobId"]!);
        Assert.Equal("{}", await Curl("POST", "/things/pump-2/jobs/update", """{"status":"REJECTED"}"""));
        Assert.Contains("AccessDenied", await Curl("GET", "/things/pump-2/jobs/$next", null), StringComparison.OrdinalIgnoreCase);
        await Counted(house, "update", "numberOfRejectedThings", 1);

        async Task<string> Curl(string method, string path, string? body) => (await house.Run("curl",
        [
            "-s", "--cacert", Path.Combine(house.Data, "ca.pem"), "--cert", device.Certificate, "--key", device.Key, "-i", "-X", method,
            .. body is null ? Array.Empty<string>() : ["-d", body], $"https://localhost:{house.HttpsPort}{path}",
        ])).Output is var all && all.Contains("x-amzn-ErrorType", StringComparison.OrdinalIgnoreCase) ? all : all[(all.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }

    static async Task Counted(House house, string job, string name, int count)
    {
        JsonNode? body = null;
        for (var i = 0; i < 2000; i++)
        {
            (_, body) = await house.Call(HttpMethod.Get, "/jobs/" + job);
            if ((int?)body["job"]?["jobProcessDetails"]?[name] == count && !(bool)body["job"]!["isConcurrent"]!)
                return;
            await Task.Delay(20);
        }
        Assert.Fail($"'{name}' of the job '{job}' did not become {count}: {body}");
    }

    [Fact]
    public async Task A_rollout_goes_on_through_kills_and_its_numbers_add_up()
    {
        const int things = 1200;
        await using var house = await House.Up("--mqtt", "0", "--anonymous");
        Assert.Equal(200, (await house.Call(HttpMethod.Post, "/thing-groups/fleet", new { })).Status);
        await Parallel.ForEachAsync(Enumerable.Range(0, things), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            Assert.Equal(200, (await house.Call(HttpMethod.Post, $"/things/k{i}", new { })).Status);
            Assert.Equal(200, (await house.Call(HttpMethod.Put, "/thing-groups/addThingToThingGroup", new { thingGroupName = "fleet", thingName = $"k{i}" })).Status);
        });
        var group = (string)(await house.Call(HttpMethod.Get, "/thing-groups/fleet")).Body["thingGroupArn"]!;
        Assert.Equal(200, (await house.Call(HttpMethod.Put, "/jobs/kill", new { targets = new[] { group }, document = "{}" })).Status);
        var done = 0;
        for (var round = 0; round < 4; round++)
        {
            var lives = Enumerable.Range(0, 8).Select(Live).ToList();
            await Eventually.True(() => Volatile.Read(ref done) >= (round + 1) * 50);
            await house.Kill();
            await Task.WhenAll(lives);
            await house.Start();
        }
        Assert.Equal(4, house.Kills);
        for (var i = 0; i < 3000; i++)
        {
            var (_, body) = await house.Call(HttpMethod.Get, "/jobs/kill");
            var details = body["job"]!["jobProcessDetails"]!.AsObject();
            var all = details.Where(d => d.Key.StartsWith("numberOf", StringComparison.Ordinal)).Sum(d => (int)d.Value!);
            if ((bool)body["job"]!["isConcurrent"]! || all < things)
            {
                await Task.Delay(20);
                continue;
            }
            // One execution for each thing, and at least as many done as were acknowledged; the one whose answer was lost may be done too.
            Assert.Equal(things, all);
            var succeeded = (int)details["numberOfSucceededThings"]!;
            Assert.InRange(succeeded, done, done + (4 * 8));
            var listed = 0;
            for (string? token = ""; token is not null;)
            {
                var page = (await house.Call(HttpMethod.Get, "/jobs/kill/things?maxResults=250&status=SUCCEEDED" + (token.Length > 0 ? "&nextToken=" + Uri.EscapeDataString(token) : ""))).Body;
                listed += page["executionSummaries"]!.AsArray().Count;
                token = (string?)page["nextToken"];
            }
            Assert.Equal(succeeded, listed);
            return;
        }
        Assert.Fail("The job was not rolled out to its end.");

        async Task Live(int device)
        {
            try
            {
                await using var client = await TestClient.Connect(house.MqttPort!.Value, $"device-{device}", c => (c.Account, c.Password) = (null, null));
                for (var i = device; i < things; i += 8)
                {
                    await client.Publish($"$aws/things/k{i}/jobs/kill/update", """{"status":"SUCCEEDED"}""", 1);
                    if ((await client.Message()).Topic.EndsWith("/accepted", StringComparison.Ordinal))
                        Interlocked.Increment(ref done);
                    await client.Expect(Althing.Mqtt.PacketType.PubAck);
                }
            }
            catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException or Xunit.Sdk.XunitException)
            {
                // It was killed.
            }
        }
    }
}

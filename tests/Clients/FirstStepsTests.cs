namespace Althing.Tests.Clients;

/// <summary>The first hour of a newcomer, with programs that we did not write.</summary>
public class FirstStepsTests
{
    [Fact]
    public async Task A_device_made_with_the_aws_cli_talks_over_mutual_tls_and_https()
    {
        Tool.Need("aws", "mosquitto_pub", "mosquitto_sub", "curl");
        await using var house = await House.Up();
        await house.Aws("iot", "create-policy", "--policy-name", "talk", "--policy-document",
            """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Connect","iot:Publish","iot:Subscribe","iot:Receive"],"Resource":"*"}]}""");
        var made = await house.Aws("iot", "create-keys-and-certificate", "--set-as-active", "--certificate-pem-outfile", "pump.pem", "--private-key-outfile", "pump.key");
        await house.Aws("iot", "attach-policy", "--policy-name", "talk", "--target", (string)made["certificateArn"]!);
        var pump = new DeviceFiles("pump.pem", "pump.key", (string)made["certificateArn"]!);
        await using var listener = await Listener.Start(house, [.. house.Mosquitto(pump, "listener"), "-t", "plant/#", "-q", "1"]);
        await house.Run("mosquitto_pub", [.. house.Mosquitto(pump, "pump-1"), "-t", "plant/pump-1", "-m", "by mqtt", "-q", "1", "-V", "5"]);
        await house.Run("curl", "-sS", "--fail-with-body", "--cacert", Path.Combine(house.Data, "ca.pem"), "--cert", pump.Certificate, "--key", pump.Key,
            "--data", "by https", $"https://localhost:{house.HttpsPort}/topics/plant/pump-2?qos=1");
        // From a file, because the two generations of the CLI read a payload on the command line differently.
        await File.WriteAllTextAsync(Path.Combine(house.Folder, "payload"), "by api");
        await house.Aws("iot-data", "publish", "--topic", "plant/cloud", "--qos", "1", "--payload", "fileb://payload");
        await listener.Hears("plant/pump-1 by mqtt");
        await listener.Hears("plant/pump-2 by https");
        await listener.Hears("plant/cloud by api");
    }

    [Fact]
    public async Task Mqtt_is_served_on_the_https_port_to_those_who_ask_for_it_by_alpn()
    {
        Tool.Need("mosquitto_pub");
        await using var house = await House.Up();
        var device = await house.Device("one");
        string[] there = [.. house.Mosquitto(device, "one"), "--tls-alpn", "x-amzn-mqtt-ca", "-t", "t", "-m", "x", "-q", "1"];
        there[3] = house.HttpsPort.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await house.Run("mosquitto_pub", there);
    }

    [Fact]
    public async Task Strangers_are_not_let_in()
    {
        Tool.Need("mosquitto_pub", "openssl", "curl");
        await using var house = await House.Up();
        await house.Run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "foreign.key", "-out", "foreign.pem", "-subj", "/CN=foreign", "-days", "10");
        var foreign = new DeviceFiles("foreign.pem", "foreign.key", "");
        var refused = await house.TryRun("mosquitto_pub", [.. house.Mosquitto(foreign, "x"), "-t", "t", "-m", "x"]);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("not authorised", refused.Output + refused.Error, StringComparison.OrdinalIgnoreCase);
        var known = await house.Device("known");
        await house.Run("mosquitto_pub", [.. house.Mosquitto(known, "known"), "-t", "t", "-m", "x", "-q", "1"]);
        var id = known.Arn.Split('/')[^1];
        Assert.Equal(200, (await house.Call(HttpMethod.Put, $"/certificates/{id}?newStatus=REVOKED")).Status);
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", [.. house.Mosquitto(known, "known"), "-t", "t", "-m", "x", "-q", "1"])).ExitCode);
        string[] curl = ["-s", "--cacert", Path.Combine(house.Data, "ca.pem"), "-o", "answer", "-w", "%{http_code}", "--data", "x", $"https://localhost:{house.HttpsPort}/topics/t"];
        Assert.Equal("403", (await house.Run("curl", curl)).Output);
        Assert.Equal("403", (await house.Run("curl", ["--cert", known.Certificate, "--key", known.Key, .. curl])).Output);
    }

    [Fact]
    public async Task A_deactivated_certificates_connection_is_closed_at_once()
    {
        Tool.Need("mosquitto_sub");
        await using var house = await House.Up();
        var device = await house.Device("one");
        await using var listener = await Listener.Start(house, [.. house.Mosquitto(device, "one"), "-t", "t"]);
        Assert.Equal(200, (await house.Call(HttpMethod.Put, $"/certificates/{device.Arn.Split('/')[^1]}?newStatus=INACTIVE")).Status);
        // The client tries to come back, is told no, and gives up.
        Assert.NotEqual(0, await listener.Ended());
    }

    [Fact]
    public async Task Boto3_works_unchanged()
    {
        Tool.Need("python3");
        await using var house = await House.Up();
        var installed = await house.TryRun("python3", "-c", "import boto3");
        Assert.SkipUnless(installed.ExitCode == 0, "python3-boto3 is not installed.");
        await File.WriteAllTextAsync(Path.Combine(house.Folder, "try.py"), $$"""
            import boto3, json
            iot = boto3.client('iot', endpoint_url='{{house.Endpoint}}')
            for i in range(30):
                iot.create_policy(policyName=f'p{i:02}', policyDocument=json.dumps({'Version': '2012-10-17', 'Statement': []} | {'Statement': [{'Effect': 'Allow', 'Action': 'iot:Connect', 'Resource': '*'}]}))
            names = [p['policyName'] for page in iot.get_paginator('list_policies').paginate(PaginationConfig={'PageSize': 7}) for p in page['policies']]
            assert sorted(names) == [f'p{i:02}' for i in range(30)], names
            try:
                iot.get_policy(policyName='nobody')
                assert False
            except iot.exceptions.ResourceNotFoundException as refusal:
                assert refusal.response['ResponseMetadata']['HTTPStatusCode'] == 404
            assert boto3.client('sts', endpoint_url='{{house.Endpoint}}').get_caller_identity()['Account'] == '000000000000'
            print('well')
            """);
        Assert.Contains("well", (await house.Run("python3", "try.py")).Output, StringComparison.Ordinal);
    }
}

using System.Text;
using Althing.Broker;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class EndpointAndLogTests
{
    [Fact]
    public async Task Endpoints_are_described_and_listed()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var type in new[] { null, "iot:Data", "iot:Data-ATS", "iot:CredentialProvider", "iot:Jobs" })
            Assert.Equal("iot.test", (string?)(await account.Call("DescribeEndpoint", new { endpointType = type }))["endpointAddress"]);
        Assert.Equal("InvalidRequestException", (await account.Refused("DescribeEndpoint", new { endpointType = "iot:Nothing" })).Code);
        var listed = (await account.Call("ListDomainConfigurations", new { serviceType = "DATA" }))["domainConfigurations"]!.AsArray();
        Assert.Equal("iot:Data-ATS", (string?)Assert.Single(listed)!["domainConfigurationName"]);
        var refused = await account.Refused("CreateDomainConfiguration", new { domainConfigurationName = "x", serverCertificateConfig = new { enableOCSPCheck = true } });
        Assert.Equal("InvalidRequestException", refused.Code);
    }

    [Fact]
    public async Task Role_aliases_live_from_creation_to_deletion()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var role = $"arn:aws:iam::{account.Id}:role/device";
        await account.Call("CreateRoleAlias", new { roleAlias = "a", roleArn = role, tags = new[] { new Dictionary<string, string> { ["Key"] = "k", ["Value"] = "v" } } });
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("CreateRoleAlias", new { roleAlias = "a", roleArn = role })).Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("CreateRoleAlias", new { roleAlias = "b", roleArn = "arn:aws:iam::1:user/nobody" })).Code);
        await account.Call("UpdateRoleAlias", new { roleAlias = "a", credentialDurationSeconds = 900 });
        var described = (await account.Call("DescribeRoleAlias", new { roleAlias = "a" }))["roleAliasDescription"]!;
        Assert.Equal(900, (int)described["credentialDurationSeconds"]!);
        Assert.Equal(role, (string?)described["roleArn"]);
        await account.Call("DeleteRoleAlias", new { roleAlias = "a" });
        Assert.Empty((await account.Call("ListRoleAliases", new { }))["roleAliases"]!.AsArray());
    }

    [Fact]
    public async Task Logging_options_decide_what_the_iot_log_says()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        Assert.Equal("NotConfiguredException", (await account.Refused("GetV2LoggingOptions", new { })).Code);
        Assert.Null(await account.Connect(device, "c"));
        Assert.Contains("AUTHORIZATION_FAILURE", Assert.Single(house.Log.IotLog), StringComparison.Ordinal);
        await account.Policy("p", Document("iot:Connect", "*"));
        await account.Attach("p", device.Arn);
        var session = (await account.Connect(device, "c"))!;
        Assert.Single(house.Log.IotLog);
        Assert.False(session.Allows(DeviceAction.Publish, "a/b"));
        Assert.Contains("topicName=a/b", house.Log.IotLog[1], StringComparison.Ordinal);
        await account.Call("SetV2LoggingOptions", new { defaultLogLevel = "DISABLED" });
        session.Allows(DeviceAction.Publish, "a/c");
        Assert.Equal(2, house.Log.IotLog.Count);
        await account.Call("SetV2LoggingLevel", new { logTarget = new { targetType = "CLIENT_ID", targetName = "c" }, logLevel = "INFO" });
        await account.Connect(device, "c");
        await account.Connect(device, "d");
        Assert.Equal(3, house.Log.IotLog.Count);
        var levels = (await account.Call("ListV2LoggingLevels", new { }))["logTargetConfigurations"]!.AsArray();
        Assert.Equal(["DEFAULT", "CLIENT_ID"], levels.Select(l => (string)l!["logTarget"]!["targetType"]!));
        await account.Call("DeleteV2LoggingLevel", new { targetType = "CLIENT_ID", targetName = "c" });
        await account.Connect(device, "c");
        Assert.Equal(3, house.Log.IotLog.Count);
    }

    [Fact]
    public async Task A_message_is_published_with_all_its_properties()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("Publish", new
        {
            topic = "a/b", qos = 1, retain = true, payload = "aGk=", contentType = "text/plain", responseTopic = "r", messageExpiry = 60,
            correlationData = "AQI=", payloadFormatIndicator = "UTF8_DATA",
            userProperties = Convert.ToBase64String(Encoding.UTF8.GetBytes("""[{"k":"1"},{"k":"2"}]""")),
        }, "iot-data");
        var message = Assert.Single(house.Published).Message;
        Assert.Equal("hi", Encoding.UTF8.GetString(message.Payload.Span));
        Assert.Equal((1, true, "text/plain", "r"), (message.QoS, message.Retain, message.ContentType, message.ResponseTopic));
        Assert.Equal(TimeSpan.FromSeconds(60), message.Expiry);
        Assert.Equal(["1", "2"], message.UserProperties.Select(p => p.Value));
        Assert.Equal([1, 2], message.CorrelationData.ToArray());
        Assert.True(message.PayloadIsUtf8);
    }

    [Theory]
    [InlineData("a/+")]
    [InlineData("$aws/events/presence/connected/x")]
    [InlineData("$other")]
    [InlineData("1/2/3/4/5/6/7/8/9")]
    public async Task A_topic_that_cannot_be_published_to_is_refused(string topic)
    {
        await using var house = new SecurityHouse();
        Assert.Equal("InvalidRequestException", (await house.NewAccount().Refused("Publish", new { topic }, "iot-data")).Code);
        Assert.Empty(house.Published);
    }

    [Fact]
    public async Task Mqtt_users_sign_in_with_their_password_and_lose_it_with_their_deletion()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await house.Users.Create(new() { Account = account.Id, Name = "meter", Password = "correct horse", PolicyDocuments = [Document("iot:*", "*")], ClientIdPattern = "meter-*" }, default);
        async Task<DevicePrincipal?> SignIn(string clientId, string name, string password) =>
            await house.Authority.Identify(clientId, name, Encoding.UTF8.GetBytes(password), default);

        Assert.Null(await SignIn("meter-1", "meter", "wrong horse!"));
        Assert.Null(await SignIn("meter-1", "nobody", "correct horse"));
        Assert.Null(await SignIn("other-1", "meter", "correct horse"));
        var principal = (await SignIn("meter-1", "meter?SDK=x", "correct horse"))!;
        var session = (await house.Authority.Connect(principal, "meter-1", default))!;
        Assert.True(session.Allows(DeviceAction.Publish, "a"));
        Assert.NotNull(await SignIn("meter-2", "meter", "correct horse"));
        Assert.Equal("meter", Assert.Single(await house.Users.List(account.Id, default)).Name);
        Assert.Empty(await house.Users.List(house.NewAccount().Id, default));
        Assert.True(await house.Users.Delete(account.Id, "meter", default));
        await house.Settled;
        Assert.True(session.IsRevoked);
        Assert.Null(await SignIn("meter-1", "meter", "correct horse"));
    }
}

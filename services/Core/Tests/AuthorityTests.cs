using Althing.Broker;
using Althing.Core.Certificates;
using Althing.Core.Policies;
using Althing.Core.Principals;
using Althing.Storage;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class AuthorityTests
{
    static readonly string Any = Document("iot:*", "*");

    [Fact]
    public async Task A_device_connects_and_publishes_as_its_policy_says()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Policy("p", $$"""
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Action":"iot:Connect","Resource":"{{account.Arn("client/${iot:ClientId}")}}","Condition":{"StringEquals":{"iot:ClientId":"pump"} } },
              {"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"{{account.Arn("topic/data/${iot:ClientId}/*")}}"},
              {"Effect":"Allow","Action":"iot:Subscribe","Resource":"{{account.Arn("topicfilter/data/+/in")}}"}]}
            """);
        Assert.Null(await account.Connect(device, "pump"));
        await account.Attach("p", device.Arn);
        Assert.Null(await account.Connect(device, "other"));
        var session = (await account.Connect(device, "pump"))!;
        Assert.True(session.Allows(DeviceAction.Publish, "data/pump/out"));
        Assert.True(session.Allows(DeviceAction.Receive, "data/pump/out"));
        Assert.False(session.Allows(DeviceAction.Publish, "data/other/out"));
        Assert.False(session.Allows(DeviceAction.RetainPublish, "data/pump/out"));
        Assert.True(session.Allows(DeviceAction.Subscribe, "data/+/in"));
        Assert.False(session.Allows(DeviceAction.Subscribe, "data/#"));
    }

    [Fact]
    public async Task Thing_variables_need_an_attached_thing_named_like_the_client_or_an_exclusive_one()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Policy("p", $$"""
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Action":"iot:Connect","Resource":"*","Condition":{"Bool":{"iot:Connection.Thing.IsAttached":"true"} } },
              {"Effect":"Allow","Action":"iot:Publish","Resource":"{{account.Arn("topic/${iot:Connection.Thing.ThingName}/${iot:Connection.Thing.Attributes[hall]}")}}"}]}
            """);
        var (loose, exclusive) = (await account.Device("CN=loose"), await account.Device("CN=exclusive"));
        await account.Attach("p", loose.Arn);
        await account.Attach("p", exclusive.Arn);
        await account.Thing("pump", loose, attributes: new() { ["hall"] = "A" });
        await account.Thing("crane", exclusive, exclusive: true, attributes: new() { ["hall"] = "B" });
        Assert.Null(await account.Connect(loose, "somebody"));
        Assert.True((await account.Connect(loose, "pump"))!.Allows(DeviceAction.Publish, "pump/A"));
        var session = (await account.Connect(exclusive, "any-client"))!;
        Assert.True(session.Allows(DeviceAction.Publish, "crane/B"));
        // A change of the thing, under whose name the client does not go, is followed too.
        await account.Thing("crane", attributes: new() { ["hall"] = "C" });
        await house.Settled;
        Assert.False(session.Allows(DeviceAction.Publish, "crane/B"));
        Assert.True(session.Allows(DeviceAction.Publish, "crane/C"));
    }

    [Fact]
    public async Task Certificate_fields_are_policy_variables()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Policy("p", """
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Action":"iot:*","Resource":["arn:aws:iot:*:*:client/*","arn:aws:iot:*:*:topic/${iot:Certificate.Subject.CommonName}"],
               "Condition":{"ForAllValues:StringEquals":{"iot:Certificate.Subject.Organization.List":["Example Corp","AnyCompany"]} } }]}
            """);
        var (right, wrong, wild) = (await account.Device("CN=pump,O=Example Corp"), await account.Device("CN=pump,O=Nobody"), await account.Device("CN=*,O=AnyCompany"));
        foreach (var device in new[] { right, wrong, wild })
            await account.Attach("p", device.Arn);
        var session = (await account.Connect(right, "c"))!;
        Assert.True(session.Allows(DeviceAction.Publish, "pump"));
        Assert.False(session.Allows(DeviceAction.Publish, "crane"));
        Assert.Null(await account.Connect(wrong, "c"));
        Assert.False((await account.Connect(wild, "c"))!.Allows(DeviceAction.Publish, "pump"));
    }

    [Fact]
    public async Task A_new_policy_version_is_in_force_at_once_for_live_connections()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Policy("p", Any);
        await account.Attach("p", device.Arn);
        var session = (await account.Connect(device, "c"))!;
        var version = session.Version;
        Assert.True(session.Allows(DeviceAction.Publish, "a"));
        await account.Call("CreatePolicyVersion", new { policyName = "p", policyDocument = Document("iot:Connect", "*"), setAsDefault = true });
        await house.Settled;
        Assert.True(session.Version > version);
        Assert.False(session.Allows(DeviceAction.Publish, "a"));
        Assert.False(session.IsRevoked);
        await account.Call("SetDefaultPolicyVersion", new { policyName = "p", policyVersionId = "1" });
        await house.Settled;
        Assert.True(session.Allows(DeviceAction.Publish, "a"));
    }

    [Theory]
    [InlineData("deactivate")]
    [InlineData("revoke")]
    [InlineData("detach")]
    [InlineData("deny connect")]
    public async Task What_takes_the_right_to_connect_ends_the_connection(string act)
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var (device, bystander) = (await account.Device("CN=a"), await account.Device("CN=b"));
        await account.Policy("p", Any);
        await account.Policy("q", Any);
        await account.Attach("p", device.Arn);
        await account.Attach("q", bystander.Arn);
        var session = (await account.Connect(device, "c"))!;
        var other = (await account.Connect(bystander, "d"))!;
        await (act switch
        {
            "deactivate" => account.Call("UpdateCertificate", new { certificateId = device.Id, newStatus = "INACTIVE" }),
            "revoke" => account.Call("UpdateCertificate", new { certificateId = device.Id, newStatus = "REVOKED" }),
            "detach" => account.Call("DetachPolicy", new { policyName = "p", target = device.Arn }),
            _ => account.Call("CreatePolicyVersion", new { policyName = "p", policyDocument = Document("iot:Publish", "*"), setAsDefault = true }),
        });
        await house.Settled;
        Assert.True(session.IsRevoked);
        Assert.False(session.Allows(DeviceAction.Publish, "a"));
        Assert.Null(await account.Connect(device, "c"));
        Assert.False(other.IsRevoked);
        Assert.True(other.Allows(DeviceAction.Publish, "a"));
    }

    [Fact]
    public async Task Policies_of_groups_and_their_ancestors_hold_for_members()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Thing("pump", device);
        await account.Group("site");
        await account.Group("hall", "site", "pump");
        await account.Policy("connect", Document("iot:Connect", "*"));
        await account.Policy("publish", Document("iot:Publish", "*"));
        await account.Attach("connect", account.Arn("thinggroup/site"));
        Assert.Null(await account.Connect(device, "not-the-thing"));
        var session = (await account.Connect(device, "pump"))!;
        Assert.False(session.Allows(DeviceAction.Publish, "a"));
        await account.Attach("publish", account.Arn("thinggroup/hall"));
        await house.Settled;
        Assert.True(session.Allows(DeviceAction.Publish, "a"));
        await account.Call("DetachPolicy", new { policyName = "publish", target = account.Arn("thinggroup/hall") });
        await house.Settled;
        Assert.False(session.Allows(DeviceAction.Publish, "a"));
        await account.Leave("hall", "pump");
        await house.Settled;
        Assert.True(session.IsRevoked);
    }

    [Fact]
    public async Task Packets_are_judged_without_reading_storage()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Policy("p", Any);
        await account.Attach("p", device.Arn);
        var session = (await account.Connect(device, "c"))!;
        var before = house.Store.Calls;
        for (var i = 0; i < 100; i++)
            Assert.True(session.Allows(DeviceAction.Publish, "a/" + i));
        Assert.Equal(before, house.Store.Calls);
    }

    [Fact]
    public async Task Connecting_costs_the_same_among_ten_and_among_ten_thousand_certificates()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Policy("p", Any);
        var device = await account.Device();
        await account.Attach("p", device.Arn);
        await account.Thing("pump", device);
        await AddCertificates(house, account, device, 10);
        // The first connection reads the policy and the log's levels for all that follow.
        var first = await account.Connect(device, "pump");
        var few = await CallsToConnect(house, account, device);
        await AddCertificates(house, account, device, 10_000);
        var many = await CallsToConnect(house, account, device);
        Assert.Equal(few, many);
        Assert.InRange(many, 1, 10);
        GC.KeepAlive(first);
    }

    [Fact]
    public async Task Connections_that_ended_are_forgotten()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var live = new Althing.Core.Authority.LiveSessions();
        Fill(live, account);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Empty(live.All());
    }

    [Fact]
    public async Task A_disabled_domain_lets_nobody_in()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Call("CreateDomainConfiguration", new { domainConfigurationName = "mine" });
        var domain = (string)(await account.Call("DescribeDomainConfiguration", new { domainConfigurationName = "mine" }))["domainName"]!;
        Assert.Equal(domain, (await house.Authority.Identify(device.Certificate, domain, default))!.ServerName);
        await account.Call("UpdateDomainConfiguration", new { domainConfigurationName = "mine", domainConfigurationStatus = "DISABLED" });
        Assert.Null(await house.Authority.Identify(device.Certificate, domain, default));
        Assert.Equal("InvalidRequestException", (await account.Refused("DeleteDomainConfiguration", new { domainConfigurationName = "mine" })).Code);
        house.Time.Advance(TimeSpan.FromDays(7));
        await account.Call("DeleteDomainConfiguration", new { domainConfigurationName = "mine" });
    }

    [Fact]
    public async Task A_device_calling_over_https_has_the_policies_of_its_certificate()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Policy("p", Document("iot:Publish", account.Arn("topic/a")));
        await account.Attach("p", device.Arn);
        var caller = (await house.Callers.Identify(device.Certificate, null, "10.1.2.3", default))!;
        await house.Call(caller, "Publish", new { topic = "a", payload = "aGk=", qos = 1 }, "iot-data");
        Assert.Equal("a", Assert.Single(house.Published).Message.Topic);
        var refusal = await Assert.ThrowsAsync<Althing.Api.ServiceException>(() => house.Call(caller, "Publish", new { topic = "b" }, "iot-data"));
        Assert.Equal("AccessDeniedException", refusal.Code);
    }

    static async Task<int> CallsToConnect(SecurityHouse house, SecurityAccount account, TestDevice device)
    {
        var before = house.Store.Calls;
        Assert.NotNull(await account.Connect(device, "pump"));
        return house.Store.Calls - before;
    }

    static async Task AddCertificates(SecurityHouse house, SecurityAccount account, TestDevice like, int count)
    {
        var model = (await house.Store.Get(Certificate.Table, account.Id, like.Id, default))!.Value.Value;
        foreach (var chunk in Enumerable.Range(0, count).Chunk(500))
        {
            var batch = new Batch();
            foreach (var i in chunk)
            {
                var copy = model with { Id = $"{count:x8}{i:x56}" };
                batch.Add(Certificate.Table, copy).Add(CertificateOwner.Table, CertificateOwner.Of(copy))
                    .Add(PolicyAttachment.Table, new() { Account = account.Id, PolicyName = "p", Target = PrincipalRef.OfCertificate(copy.Id) });
            }
            await house.Store.Commit(batch, default);
        }
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    static void Fill(Althing.Core.Authority.LiveSessions live, SecurityAccount account)
    {
        for (var i = 0; i < 1000; i++)
            live.Add("principal/cert/" + i, new(new(account.Id, i.ToString(), ""), "c", null!));
    }
}

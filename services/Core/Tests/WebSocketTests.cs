using System.Net;
using System.Net.WebSockets;
using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Tests.Broker;
using Althing.Tests.Broker.Conformance;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class WebSocketTests
{
    static readonly string Any = Document("iot:*", "*");

    static void Nobody(TestConnect wish) => (wish.Account, wish.Password) = (null, null);

    [Fact]
    public async Task A_signed_address_opens_MQTT_for_what_the_signers_policy_allows()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var user = await account.User("app", $$"""
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Action":"iot:Connect","Resource":"{{account.Arn("client/app-*")}}"},
              {"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"{{account.Arn("topic/app/*")}}"},
              {"Effect":"Allow","Action":"iot:Subscribe","Resource":"{{account.Arn("topicfilter/app/*")}}"}]}
            """);
        await using var client = await TestClient.Over(await DoorHouse.WebSocket(user.Presigned()), "app-1", Nobody);
        Assert.Equal([ReasonCode.GrantedQoS1], await client.Subscribe("app/#", 1));
        await client.Publish("app/hello", "over a WebSocket", qos: 1, id: 7);
        await client.Expect(PacketType.PubAck);
        Assert.Equal("over a WebSocket", await client.Payload());
        Assert.Equal([(ReasonCode)0x80], await client.Subscribe("other/#"));
        await using var other = await TestClient.Over(await DoorHouse.WebSocket(user.Presigned()), "stranger", w => { Nobody(w); w.MayFail = true; });
        Assert.Equal(5, other.Answer.Code);
        var live = Assert.Single(house.Broker.Connections(account.Id));
        Assert.Equal("MQTT 3.1.1, WebSocket", live.ProtocolName);
        Assert.Equal($"arn:aws:iam::{account.Id}:user/app", live.PrincipalArn);
    }

    [Fact]
    [Normative(MqttVersion.V311, "6.0.0-2")]
    [Normative(MqttVersion.V5, "6.0.0-2")]
    public async Task Packets_need_not_fit_frames()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await using var client = await TestClient.Over(await DoorHouse.WebSocket(account.Presigned()), "c", Nobody);
        await client.Subscribe("t");
        using var two = new PacketBuffer();
        PublishPacket.Write(two, MqttVersion.V311, "t", Encoding.UTF8.GetBytes("one"), 0, false, false, 0, null);
        PublishPacket.Write(two, MqttVersion.V311, "t", Encoding.UTF8.GetBytes(new string('x', 100_000)), 0, false, false, 0, null);
        var bytes = two.Written;
        // One byte, the rest of the first packet with the beginning of the second, nothing, and the end.
        foreach (var part in new[] { bytes[..1], bytes[1..50_000], bytes[..0], bytes[50_000..] })
            await client.Raw(part);
        Assert.Equal("one", await client.Payload());
        Assert.Equal(100_000, (await client.Payload()).Length);
    }

    [Theory]
    [InlineData("mqttv3.1", 400)]
    [InlineData(null, 400)]
    [Normative(MqttVersion.V311, "6.0.0-4")]
    [Normative(MqttVersion.V5, "6.0.0-4")]
    public async Task Other_sub_protocols_are_refused(string? protocol, int status)
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        if (protocol is not null)
            socket.Options.AddSubProtocol(protocol);
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(account.Presigned(), default));
        Assert.Equal(status, (int)socket.HttpStatusCode);
    }

    [Fact]
    public async Task What_is_no_WebSocket_is_told_so()
    {
        await using var house = await DoorHouse.Open();
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(house.Address, "/mqtt"));
        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
        Assert.Contains("websocket", answer.Headers.Upgrade.ToString());
    }

    [Theory]
    [InlineData("iotdata")]
    [InlineData("wrong secret")]
    [InlineData("late")]
    public async Task A_signature_that_is_not_good_here_opens_nothing(string how)
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var signer = how switch
        {
            "iotdata" => account.Signer("iotdata"),
            "wrong secret" => (account with { Secret = new("wrong") }).Signer(),
            _ => account.Signer(),
        };
        var address = signer.Presign("GET", house.WebSocketAddress, TimeSpan.FromMinutes(5));
        if (how == "late")
            house.Time.Advance(TimeSpan.FromMinutes(6));
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.AddSubProtocol("mqtt");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(address, default));
        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
    }

    [Fact]
    public async Task Who_brings_nothing_is_refused_at_CONNECT()
    {
        await using var house = await DoorHouse.Open();
        await house.NewAccount();
        await using var client = await TestClient.Over(await DoorHouse.WebSocket(house.WebSocketAddress), "c", w => { Nobody(w); w.MayFail = true; });
        Assert.Equal(5, client.Answer.Code);
    }

    [Fact]
    [Normative(MqttVersion.V311, "6.0.0-1")]
    [Normative(MqttVersion.V5, "6.0.0-1")]
    public async Task Text_frames_close_the_connection()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await socket.ConnectAsync(account.Presigned(), default);
        await socket.SendAsync(Encoding.UTF8.GetBytes("hello"), WebSocketMessageType.Text, true, default);
        var got = await socket.ReceiveAsync(new byte[10], default);
        Assert.Equal(WebSocketCloseStatus.InvalidMessageType, got.CloseStatus);
    }

    [Fact]
    public async Task A_removed_user_loses_the_connection()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var user = await account.User("app", Any);
        await using var client = await TestClient.Over(await DoorHouse.WebSocket(user.Presigned()), "c", w => { Nobody(w); w.Version = MqttVersion.V5; });
        await using var bystander = await TestClient.Over(await DoorHouse.WebSocket(account.Presigned()), "d", Nobody);
        await account.Remove("app");
        Assert.Equal(ReasonCode.NotAuthorized, await client.Closed());
        await bystander.Ping();
    }

    [Fact]
    public async Task A_signature_is_good_for_a_day()
    {
        await using var house = await DoorHouse.Open(new() { KeepAliveMax = TimeSpan.FromDays(7) });
        var account = await house.NewAccount();
        await using var client = await TestClient.Over(
            await DoorHouse.WebSocket(account.Presigned()), "c", w => { Nobody(w); w.Version = MqttVersion.V5; w.KeepAlive = ushort.MaxValue; });
        house.Time.Advance(TimeSpan.FromHours(23));
        await client.Ping();
        house.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(ReasonCode.MaximumConnectTime, await client.Closed());
    }

    [Fact]
    public async Task A_Close_frame_counts_as_a_disconnect()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        TaskCompletionSource<string> said = new(), last = new();
        using var presence = house.Broker.Subscribe(account.Id, "$aws/events/presence/disconnected/c", m => said.TrySetResult(Encoding.UTF8.GetString(m.Message.Payload.Span)));
        using var will = house.Broker.Subscribe(account.Id, "will", _ => last.TrySetResult("said"));
        var client = await TestClient.Over(await DoorHouse.WebSocket(account.Presigned()), "c", w => { Nobody(w); w.Will = new("will", new byte[1], 0, false, null); });
        await client.DisposeAsync();
        Assert.Contains("CLIENT_INITIATED_DISCONNECT", await said.Task.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.False(last.Task.IsCompleted);
    }

    [Fact]
    public async Task A_device_comes_over_a_WebSocket_with_its_certificate()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var device = await account.Device();
        var stream = await DoorHouse.WebSocketOver(await house.Tls(1, device.Certificate, DoorHouse.HostName, null));
        await using var client = await TestClient.Over(stream, "pump", w => { Nobody(w); w.Version = MqttVersion.V5; });
        await client.Ping();
        await account.Call("UpdateCertificate", new { certificateId = device.Id, newStatus = "INACTIVE" });
        Assert.Equal(ReasonCode.NotAuthorized, await client.Closed());
    }
}

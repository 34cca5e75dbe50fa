using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Althing.Mqtt;
using Althing.Tests.Broker;
using static Althing.Tests.Cluster.TwoNodes;

namespace Althing.Tests.Cluster;

/// <summary>What is done at one node and concerns another.</summary>
[Collection(nameof(TwoNodes))]
public sealed class AdministrationTests(TwoNodes nodes)
{
    static async Task<TestClient> Device(House at, DeviceFiles files, string clientId)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync("localhost", at.MqttsPort);
        var tls = new SslStream(tcp.GetStream());
        using var pem = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            // Both nodes show certificates of one authority.
            CertificateChainPolicy = new()
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(Path.Combine(at.Data, "ca.pem")) },
                RevocationMode = X509RevocationMode.NoCheck,
            },
            ClientCertificateContext = SslStreamCertificateContext.Create(pem, null, offline: true),
        });
        return await TestClient.Over(tls, clientId, c => (c.Account, c.Password) = (null, null));
    }

    [Fact]
    public async Task A_policy_detached_at_one_node_ends_a_connection_at_the_other()
    {
        var files = await nodes.A.Device("sensor");
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(nodes.A.Data, "ca.pem")), await File.ReadAllTextAsync(Path.Combine(nodes.B.Data, "ca.pem")));
        await using var there = await Device(nodes.B, files, "sensor");
        await there.Ping();
        Assert.Equal(200, (await nodes.A.Call(HttpMethod.Post, "/target-policies/policy-of-sensor", new { target = files.Arn })).Status);
        await there.Closed();
    }

    [Fact]
    public async Task A_thing_made_at_one_node_is_there_at_the_other()
    {
        Assert.Equal(200, (await nodes.A.Call(HttpMethod.Post, "/things/everywhere", new { })).Status);
        Assert.Equal(200, (await nodes.B.Call(HttpMethod.Get, "/things/everywhere")).Status);
    }

    [Fact]
    public async Task A_connection_is_described_written_to_and_ended_from_another_node()
    {
        await using var client = await Client(nodes.A, "far-away", clean: false);
        await client.Subscribe("far/#", 1);
        var (status, state) = await nodes.B.Call(HttpMethod.Get, "/connections/far-away", service: "iotdata");
        Assert.Equal((200, true), (status, (bool)state["connected"]!));
        var (_, subscriptions) = await nodes.B.Call(HttpMethod.Get, "/connections/far-away/subscriptions", service: "iotdata");
        Assert.Equal("far/#", (string)subscriptions["subscriptions"]![0]!["topicFilter"]!);
        Assert.Equal(200, (await nodes.B.Call(HttpMethod.Post, "/connections/far-away/messages?topic=direct", "to you"u8.ToArray(), service: "iotdata")).Status);
        Assert.Equal("to you", await client.Payload());
        Assert.Equal(200, (await nodes.B.Call(HttpMethod.Delete, "/connections/far-away?cleanSession=true", service: "iotdata")).Status);
        await client.Closed();
        await using var again = await Client(nodes.B, "far-away", clean: false);
        Assert.False(again.Answer.SessionPresent);
    }
}

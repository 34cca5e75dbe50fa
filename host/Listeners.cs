using System.Net;
using System.Net.Security;
using Althing.Broker;
using Althing.Core.Endpoints;
using Althing.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Host;

/// <summary>The platform's ports. What is plain listens on loopback alone.</summary>
static class Listeners
{
    /// <summary>What AWS devices ask for on a port that serves more than one protocol ("Device communication protocols").</summary>
    static readonly SslApplicationProtocol MqttWithCertificate = new("x-amzn-mqtt-ca");
    static readonly SslApplicationProtocol Mqtt = new("mqtt");
    static readonly SslApplicationProtocol HttpWithCertificate = new("x-amzn-http-ca");

    public static void Configure(KestrelServerOptions kestrel, HostOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null;
        var tls = kestrel.ApplicationServices.GetRequiredService<DeviceTls>();

        Loopback(kestrel, options.Http, listen => listen.Protocols = HttpProtocols.Http1);

        kestrel.ListenAnyIP(options.Https, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(tls.Options([SslApplicationProtocol.Http2, SslApplicationProtocol.Http11, HttpWithCertificate, MqttWithCertificate, Mqtt]));
            listen.Use(MqttByAlpn(kestrel.ApplicationServices));
        });

        kestrel.ListenAnyIP(options.Mqtts, listen =>
        {
            listen.UseHttps(tls.Options([MqttWithCertificate, Mqtt]));
            listen.UseConnectionHandler<MqttConnectionHandler>();
        });

        if (options.Mqtt is { } plain)
            Loopback(kestrel, plain, listen => listen.Run(PlainMqtt(kestrel.ApplicationServices, options).OnConnectedAsync));
    }

    static MqttConnectionHandler PlainMqtt(IServiceProvider services, HostOptions options) => options.Anonymous
        ? new(services.GetRequiredService<MqttBroker>(), new AnonymousAuthority(services.GetRequiredService<IDeviceAuthority>(), services.GetRequiredService<FirstStart>()))
        : services.GetRequiredService<MqttConnectionHandler>();

    static void Loopback(KestrelServerOptions kestrel, int port, Action<ListenOptions> configure)
    {
        if (port == 0)
            kestrel.Listen(IPAddress.Loopback, port, configure);
        else
            kestrel.ListenLocalhost(port, configure);
    }

    /// <summary>One port for both, as AWS has on 443: who asked for MQTT in the handshake gets it.</summary>
    static Func<ConnectionDelegate, ConnectionDelegate> MqttByAlpn(IServiceProvider services) => next => connection =>
    {
        // Empty for a client without ALPN, which then speaks HTTP/1.1.
        var chosen = connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol ?? default;
        return chosen.Span.SequenceEqual(MqttWithCertificate.Protocol.Span) || chosen.Span.SequenceEqual(Mqtt.Protocol.Span) ? services.GetRequiredService<MqttConnectionHandler>().OnConnectedAsync(connection) : next(connection);
    };
}

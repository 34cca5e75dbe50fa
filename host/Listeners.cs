using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Althing.Broker;
using Althing.Core.Endpoints;
using Althing.Identity;
using Althing.Sockets;
using Althing.Sockets.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Althing.Host;

/// <summary>The platform's ports. What is plain listens on loopback alone.</summary>
static class Listeners
{
    public static void Configure(KestrelServerOptions kestrel, HostOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null;
        var tls = kestrel.ApplicationServices.GetRequiredService<DeviceTls>();

        var keeper = new DoorKeeper(options.Doors, kestrel.ApplicationServices.GetRequiredService<TimeProvider>());

        Loopback(kestrel, options.Http, listen => listen.Protocols = HttpProtocols.Http1);

        kestrel.ListenAnyIP(options.Https, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.Use(keeper.Enter);
            listen.UseHttps(tls.Options([SslApplicationProtocol.Http2, SslApplicationProtocol.Http11, DeviceTls.HttpWithCertificate, DeviceTls.MqttWithCertificate, DeviceTls.Mqtt]));
            listen.Use(DoorKeeper.Shaken);
            listen.Use(MqttOrHttp(kestrel.ApplicationServices, tls));
        });

        ListenForDevices(kestrel, options.Mqtts, tls, keeper);

        if (options.Mqtt is { } plain)
            PlainLoopback(kestrel, plain, PlainMqtt(kestrel.ApplicationServices, options).OnConnectedAsync);
    }

    /// <summary>MQTT over TLS: on event loops with OpenSSL where they are to be had, else by Kestrel and .NET's own.</summary>
    static void ListenForDevices(KestrelServerOptions kestrel, int port, DeviceTls tls, DoorKeeper keeper)
    {
        List<SslApplicationProtocol> protocols = [DeviceTls.MqttWithCertificate, DeviceTls.Mqtt];
        if (!LoopTls.IsAvailable)
        {
            kestrel.ListenAnyIP(port, listen =>
            {
                listen.Use(keeper.Enter);
                listen.UseHttps(tls.Options(protocols));
                listen.Use(DoorKeeper.Shaken);
                listen.UseConnectionHandler<MqttConnectionHandler>();
            });
            return;
        }
        var services = kestrel.ApplicationServices;
        var serve = keeper.Enter(
            tls.LoopOptions(protocols), services.GetRequiredService<MqttConnectionHandler>().OnConnectedAsync, services.GetRequiredService<ILogger<DoorKeeper>>());
        kestrel.Listen(new LoopEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port) { Serve = serve }, listen => listen.Run(serve.Invoke));
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

    /// <summary>On event loops, where the system has them: a turn of a loop's is cheaper than a task for each packet.</summary>
    static void PlainLoopback(KestrelServerOptions kestrel, int port, ConnectionDelegate serve)
    {
        kestrel.Listen(new LoopEndPoint(IPAddress.Loopback, port) { Serve = serve }, listen => listen.Run(serve.Invoke));
        if (port != 0 && HasLoopback6())
            kestrel.Listen(new LoopEndPoint(IPAddress.IPv6Loopback, port) { Serve = serve }, listen => listen.Run(serve.Invoke));
    }

    static bool HasLoopback6()
    {
        try
        {
            using var probe = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>One port for both, as AWS has on 443.</summary>
    static Func<ConnectionDelegate, ConnectionDelegate> MqttOrHttp(IServiceProvider services, DeviceTls tls) => next => connection =>
    {
        var mqtt = tls.IsMqtt(connection.Features, connection.ConnectionClosed);
        return mqtt.IsCompletedSuccessfully ? Serve(mqtt.Result) : Later(mqtt);

        Task Serve(bool isMqtt)
        {
            if (isMqtt)
                return services.GetRequiredService<MqttConnectionHandler>().OnConnectedAsync(connection);
            DoorKeeper.Admit(connection);
            return next(connection);
        }

        async Task Later(ValueTask<bool> decision) => await Serve(await decision);
    };
}

using System.Text;
using Althing.Sockets;
using Althing.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Broker;

/// <summary>Registers the broker.</summary>
public static partial class BrokerServices
{
    /// <summary>
    /// The broker, which reads what it kept before the host listens, and stops with it. Needs <see cref="PlatformStorage"/>,
    /// <see cref="TimeProvider"/> and an <see cref="IDeviceAuthority"/>. Give each MQTT listener <c>UseConnectionHandler&lt;MqttConnectionHandler&gt;()</c>.
    /// </summary>
    public static IServiceCollection AddMqttBroker(this IServiceCollection services, BrokerOptions? options = null) => services
        .AddSingleton(p => new MqttBroker(
            p.GetRequiredService<PlatformStorage>(), options ?? new(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<MqttBroker>>(),
            p.GetService<IBrokerCluster>()))
        .AddSingleton<MqttConnectionHandler>()
        .AddSingleton<MqttWebSocketHandler>()
        .AddHostedService<BrokerLifetime>();

    sealed partial class BrokerLifetime(MqttBroker broker, IHostApplicationLifetime application, ILogger<BrokerLifetime> log) : IHostedLifecycleService
    {
        public async Task StartingAsync(CancellationToken cancel)
        {
            await broker.Start(cancel);
            _ = broker.Recovery.ContinueWith(GiveUp, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }

        /// <summary>Without its log the broker would break promises: it rather stops, and says why.</summary>
        void GiveUp(Task recovery)
        {
            LogDamaged(log, recovery.Exception!.GetBaseException());
            Environment.ExitCode = 1;
            application.StopApplication();
        }

        [LoggerMessage(1, LogLevel.Critical, "What persistent sessions are owed cannot be read; the platform stops")]
        static partial void LogDamaged(ILogger logger, Exception failure);

        public Task StartAsync(CancellationToken cancel) => Task.CompletedTask;
        public Task StartedAsync(CancellationToken cancel) => Task.CompletedTask;
        public Task StoppingAsync(CancellationToken cancel) => broker.Stop();
        public Task StopAsync(CancellationToken cancel) => Task.CompletedTask;
        public Task StoppedAsync(CancellationToken cancel) => Task.CompletedTask;
    }
}

/// <summary>Serves MQTT on a Kestrel listener, over TLS when the listener has it.</summary>
public sealed class MqttConnectionHandler(MqttBroker broker, IDeviceAuthority authority) : ConnectionHandler
{
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        var features = connection.Features;
        var transport = new ClientTransport(
            connection.Transport.Input,
            connection.Transport.Output,
            new()
            {
                IsSecure = features.Get<ITlsConnectionFeature>() is not null,
                Certificate = features.Get<ITlsConnectionFeature>()?.ClientCertificate,
                ServerName = features.Get<ITlsHandshakeFeature>()?.HostName is { Length: > 0 } name ? name : null,
                LocalEndPoint = connection.LocalEndPoint,
                ApplicationProtocol = features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol is { Length: > 0 } agreed ? Encoding.ASCII.GetString(agreed.Span) : null,
            },
            connection.RemoteEndPoint?.ToString() ?? "unknown",
            () => connection.Abort(new ConnectionAbortedException("The broker ended the connection.")))
        {
            Admitted = () => LetIn(connection),
        };
        return new MqttConnection(broker, authority, transport).Run();
    }

    static void LetIn(ConnectionContext connection)
    {
        connection.Features.Get<IAdmission>()?.Admitted();
        connection.Features.Get<ILoopConnection>()?.ForgetFeatures();
    }
}

using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;

namespace Althing.Sockets.Tls;

/// <summary>TLS on connections of a <see cref="LoopEndPoint"/>.</summary>
public static class LoopTls
{
    /// <summary>Whether the system has event loops and OpenSSL 3. Without, Kestrel's TLS does the same.</summary>
    public static bool IsAvailable => OpenSsl.IsAvailable;

    /// <summary>
    /// Makes the handshake, on the threads of the pool; afterwards the connection's bytes are encrypted and its features tell what was
    /// agreed on. Answers null, or why there is no TLS with this client: the connection is then to be ended.
    /// </summary>
    public static async ValueTask<string?> Handshake(ConnectionContext connection, TlsServerOptions options)
    {
        var pipe = (connection as SocketConnection ?? throw new InvalidOperationException("The connection is not one of an event loop.")).Pipe;
        var (session, begun) = (pipe.Secure(options), options.Time.GetTimestamp());
        using var patience = new CancellationTokenSource(options.HandshakeTimeout, options.Time);
        try
        {
            while (true)
            {
                // Asked for before the step: what comes meanwhile is news.
                var news = pipe.NextNews();
                switch (session.Handshake())
                {
                    case TlsStep.Done:
                        session.Agreed().SetOn(connection.Features);
                        return null;
                    case TlsStep.Failed:
                        return session.Failure;
                    case TlsStep.NeedsCertificate:
                        session.Show(await options.Choose(session.ServerName, patience.Token));
                        break;
                    default:
                        await news.WaitAsync(patience.Token);
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return $"it took longer than {options.HandshakeTimeout.TotalSeconds:0} s";
        }
        catch (Exception failure) when (failure is IOException or CryptographicException)
        {
            return failure.Message;
        }
    }
}

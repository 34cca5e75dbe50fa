using System.IO.Pipelines;
using System.Security.Cryptography.X509Certificates;

namespace Althing.Broker;

/// <summary>A client's byte stream and what the listener knows of it.</summary>
/// <param name="Certificate">The TLS client certificate; null on the plain listener or when the client gave none.</param>
/// <param name="ServerName">The TLS server name the client asked for.</param>
/// <param name="Abort">Breaks the stream at once, whatever still waits.</param>
sealed record ClientTransport(PipeReader Input, PipeWriter Output, X509Certificate2? Certificate, string? ServerName, string RemoteAddress, Action Abort);

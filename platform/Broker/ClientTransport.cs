using System.IO.Pipelines;

namespace Althing.Broker;

/// <summary>A client's byte stream and what the listener knows of it.</summary>
/// <param name="Abort">Breaks the stream at once, whatever still waits.</param>
sealed record ClientTransport(PipeReader Input, PipeWriter Output, ClientOrigin Origin, string RemoteAddress, Action Abort)
{
    /// <summary>Called once the client is let in, for a listener that counts those that are not yet.</summary>
    public Action? Admitted { get; init; }

    /// <summary>Whether the client ended the stream in an orderly way that says so: WebSocket has one, TCP has not.</summary>
    public Func<bool> SaidGoodbye { get; init; } = static () => false;
}

/// <summary>A listener's feature of a connection: it wants to know when the client is let in.</summary>
public interface IAdmission
{
    /// <summary>The client has identified itself; called once.</summary>
    void Admitted();
}

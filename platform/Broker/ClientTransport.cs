using System.IO.Pipelines;

namespace Althing.Broker;

/// <summary>A client's byte stream and what the listener knows of it.</summary>
/// <param name="abort">Breaks the stream at once, whatever still waits.</param>
sealed class ClientTransport(PipeReader input, PipeWriter output, ClientOrigin origin, string remoteAddress, Action abort)
{
    Action? admitted;

    public PipeReader Input => input;
    public PipeWriter Output => output;

    /// <summary>What the door learnt of the client; without its certificate once it is let in.</summary>
    public ClientOrigin Origin { get; private set; } = origin;
    public string RemoteAddress => remoteAddress;

    /// <summary>Called once the client is let in, for a listener that counts those that are not yet and keeps what was needed to know them.</summary>
    public Action? Admitted { init => admitted = value; }

    /// <summary>Whether the client ended the stream in an orderly way that says so: WebSocket has one, TCP has not.</summary>
    public Func<bool> SaidGoodbye { get; init; } = static () => false;

    public void Abort() => abort();

    /// <summary>The client is let in: what it is known by is not needed any more.</summary>
    public void LetIn()
    {
        if (Origin.Certificate is not null)
            Origin = Origin with { Certificate = null };
        Interlocked.Exchange(ref admitted, null)?.Invoke();
    }
}

/// <summary>A listener's feature of a connection: it wants to know when the client is let in.</summary>
public interface IAdmission
{
    /// <summary>The client has identified itself; called once.</summary>
    void Admitted();
}

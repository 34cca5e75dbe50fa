using System.Security.Cryptography.X509Certificates;

namespace Althing.Sockets.Tls;

/// <summary>What came of a step of a handshake.</summary>
enum TlsStep
{
    Done,

    /// <summary>It goes on when there is news of the socket.</summary>
    Waits,

    /// <summary>The client has said which name it wants: it goes on with a certificate.</summary>
    NeedsCertificate,
    Failed,
}

/// <summary>One connection's TLS, right on its socket, as OpenSSL keeps it (SSL).</summary>
/// <remarks>
/// Not synchronized. Until the handshake is done the one that drives it has it alone; afterwards whoever holds the pipe's gate. It is freed
/// once, under the gate, before the socket is closed.
/// </remarks>
sealed unsafe class TlsSession : IDisposable
{
    nint ssl;
    bool shaken;
    bool broken;

    /// <summary>The server's side.</summary>
    public TlsSession(int fd, TlsServerOptions options) : this(fd, TlsContext.Front.NewConnection())
    {
        Options = options;
        OpenSsl.BeServer(ssl);
    }

    /// <param name="made">OpenSSL's state, which is this object's from now on.</param>
    public TlsSession(int fd, nint made)
    {
        ssl = made;
        OpenSsl.ClearErrors();
        if (OpenSsl.SetDescriptor(ssl, fd) == 1)
            return;
        Dispose();
        throw new IOException("No TLS on the socket: " + OpenSsl.TakeError());
    }

    public TlsServerOptions? Options { get; }

    /// <summary>What the client asked for; empty when it did not. Kept until the handshake is over.</summary>
    public string ServerName { get; set; } = "";

    public bool HasCertificate { get; private set; }

    /// <summary>Why the handshake failed.</summary>
    public string Failure { get; private set; } = "";

    public void Show(in TlsChoice choice)
    {
        TlsContext.For(choice.Certificate).GiveTo(ssl);
        var (least, most) = TlsVersions.Of(choice.Versions);
        if (OpenSsl.Control(ssl, OpenSsl.ControlMinVersion, least, 0) != 1 || OpenSsl.Control(ssl, OpenSsl.ControlMaxVersion, most, 0) != 1)
            throw new IOException("The TLS versions cannot be set: " + OpenSsl.TakeError());
        HasCertificate = true;
    }

    public TlsStep Handshake()
    {
        OpenSsl.ClearErrors();
        TlsCallbacks.Stepping = this;
        int result, error;
        try
        {
            result = OpenSsl.Handshake(ssl);
            error = OpenSsl.ErrorOf(ssl, result);
        }
        finally
        {
            TlsCallbacks.Stepping = null;
        }
        if (result == 1)
        {
            shaken = true;
            return TlsStep.Done;
        }
        switch (error)
        {
            case OpenSsl.WantRead or OpenSsl.WantWrite:
                return TlsStep.Waits;
            case OpenSsl.WantClientHelloCallback when !HasCertificate:
                return TlsStep.NeedsCertificate;
            default:
                broken = true;
                Failure = OpenSsl.TakeError();
                return TlsStep.Failed;
        }
    }

    /// <summary>What the handshake agreed on. The certificate is the one that OpenSSL has read, not a second reading.</summary>
    public TlsFeatures Agreed()
    {
        OpenSsl.AgreedProtocol(ssl, out var protocol, out var count);
        var certificate = OpenSsl.PeerCertificate(ssl);
        try
        {
            return new(certificate == 0 ? null : new X509Certificate2(certificate))
            {
                Protocol = TlsVersions.Named(OpenSsl.VersionOf(ssl)),
                NegotiatedCipherSuite = (System.Net.Security.TlsCipherSuite)OpenSsl.CipherNumber(OpenSsl.CipherOf(ssl)),
                HostName = ServerName,
                ApplicationProtocol = new ReadOnlySpan<byte>(protocol, (int)count).ToArray(),
            };
        }
        finally
        {
            if (certificate != 0)
                OpenSsl.FreeCertificate(certificate);
        }
    }

    /// <summary>Bytes read, as many records as there are; 0 when there are none, -1 at the end of the stream.</summary>
    /// <param name="more">There is more to read, or the stream has ended after what was read.</param>
    public int Read(Span<byte> room, out bool more)
    {
        var count = 0;
        more = false;
        if (ssl == 0)
            return -1;
        OpenSsl.ClearErrors();
        fixed (byte* bytes = room)
        {
            while (count < room.Length)
            {
                var result = OpenSsl.Read(ssl, bytes + count, room.Length - count);
                if (result > 0)
                {
                    count += result;
                    continue;
                }
                if (HasEnded(OpenSsl.ErrorOf(ssl, result)))
                {
                    more = count > 0;
                    return count > 0 ? count : -1;
                }
                return count;
            }
        }
        more = true;
        return count;
    }

    /// <summary>Bytes taken; fewer than all when the socket takes no more now. The rest must come next, from its beginning.</summary>
    public int Write(ReadOnlySpan<byte> source)
    {
        var count = 0;
        if (ssl == 0 || broken)
            throw new IOException("The connection is closed.");
        OpenSsl.ClearErrors();
        fixed (byte* bytes = source)
        {
            while (count < source.Length)
            {
                var result = OpenSsl.Write(ssl, bytes + count, source.Length - count);
                if (result <= 0)
                    return HasEnded(OpenSsl.ErrorOf(ssl, result)) ? throw new IOException("The connection is closed.") : count;
                count += result;
            }
        }
        return count;
    }

    /// <summary>False when it only has to wait for the socket.</summary>
    /// <exception cref="IOException">What came is no TLS, or was changed on its way.</exception>
    bool HasEnded(int error)
    {
        if (error is OpenSsl.WantRead or OpenSsl.WantWrite)
            return false;
        if (error == OpenSsl.CloseNotify)
            return true;
        // After either the state is not to be used but to be freed.
        broken = true;
        if (error == OpenSsl.SystemCallFailed || OpenSsl.LastReason == OpenSsl.UnexpectedEnd)
        {
            OpenSsl.ClearErrors();
            return true;
        }
        throw new IOException("TLS failed: " + OpenSsl.TakeError());
    }

    /// <summary>Says close_notify, if the socket takes it, and frees the state.</summary>
    public void Dispose()
    {
        var mine = ssl;
        ssl = 0;
        if (mine == 0)
            return;
        OpenSsl.ClearErrors();
        if (shaken && !broken && OpenSsl.Shutdown(mine) < 0)
            OpenSsl.ClearErrors();
        OpenSsl.Free(mine);
    }
}

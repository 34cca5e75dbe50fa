using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Althing.Sockets.Tls;

/// <summary>What OpenSSL asks in the middle of a handshake. It asks on the thread that takes the step, so that needs no table to find whose it is.</summary>
static unsafe class TlsCallbacks
{
    const uint ServerName = 0;
    const int Accepted = 1;
    const int AskAgain = -1;

    [ThreadStatic]
    internal static TlsSession? Stepping;

    public static void SetOn(nint context)
    {
        OpenSsl.SetHelloCallback(context, &Hello, 0);
        OpenSsl.SetProtocolCallback(context, &Agree, 0);
        OpenSsl.SetVerify(context, OpenSsl.VerifyPeer, 0);
        OpenSsl.SetCertificateCallback(context, &TakeAny, 0);
    }

    /// <summary>The client said which name it wants: the handshake stops until there is a certificate for it.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Hello(nint ssl, int* alert, nint argument)
    {
        if (Stepping is not { } session)
            return 0;
        if (session.HasCertificate)
            return Accepted;
        if (OpenSsl.HelloExtension(ssl, ServerName, out var bytes, out var count) == 1)
            session.ServerName = NameIn(new(bytes, (int)count));
        return AskAgain;
    }

    /// <summary>The host name of the extension (RFC 6066, section 3); empty for one that is none.</summary>
    public static string NameIn(ReadOnlySpan<byte> extension)
    {
        const int HostName = 0;
        const int HeadBytes = 5;
        if (extension.Length <= HeadBytes || BinaryPrimitives.ReadUInt16BigEndian(extension) != extension.Length - 2 || extension[2] != HostName)
            return "";
        var name = extension[HeadBytes..];
        return BinaryPrimitives.ReadUInt16BigEndian(extension[3..]) == name.Length && name.Length <= byte.MaxValue && !name.ContainsAnyExceptInRange((byte)'!', (byte)'~')
            ? Encoding.ASCII.GetString(name) : "";
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Agree(nint ssl, byte** agreed, byte* agreedBytes, byte* offered, uint offeredBytes, nint argument)
    {
        foreach (var ours in Stepping?.Options?.Protocols ?? [])
        {
            for (var at = 0u; at < offeredBytes && at + 1 + offered[at] <= offeredBytes; at += 1u + offered[at])
            {
                if (!ours.Protocol.Span.SequenceEqual(new(offered + at + 1, offered[at])))
                    continue;
                *agreed = offered + at + 1;
                *agreedBytes = offered[at];
                return 0;
            }
        }
        return OpenSsl.FatalAlert;
    }

    /// <summary>
    /// That the client has the key of its certificate, OpenSSL sees to. Whether it is one that the platform knows is the devices' authority's
    /// question, who looks it up, whoever signed it: no chain is built.
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int TakeAny(nint store, nint argument) => Accepted;
}

using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Althing.Sockets.Tls;

/// <summary>What connections with one server certificate share: the certificate, its key and its chain (SSL_CTX).</summary>
sealed unsafe class TlsContext : SafeHandle
{
    /// <summary>For TLS 1.2: forward secret, those with AEAD first. TLS 1.3 has its own.</summary>
    const string Ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
        + ":ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384";

    static readonly ConditionalWeakTable<SslStreamCertificateContext, TlsContext> Known = [];

    /// <summary>What a connection has until its client has said which name it wants. It has no certificate, but the key of all session tickets.</summary>
    public static TlsContext Front { get; } = new(null);

    TlsContext(SslStreamCertificateContext? shown) : base(0, ownsHandle: true)
    {
        SetHandle(OpenSsl.NewContext(OpenSsl.ServerMethod()));
        if (IsInvalid)
            throw new CryptographicException("No TLS context: " + OpenSsl.TakeError());
        OpenSsl.SetOptions(handle, OpenSsl.Options);
        OpenSsl.ControlContext(handle, OpenSsl.ControlMode, OpenSsl.Modes, 0);
        OpenSsl.ControlContext(handle, OpenSsl.ControlSessionCacheMode, 0, 0);
        OpenSsl.ControlContext(handle, OpenSsl.ControlReadAhead, 1, 0);
        OpenSsl.ControlContext(handle, OpenSsl.ControlMinVersion, OpenSsl.Tls12, 0);
        Require(OpenSsl.SetCiphers(handle, Ciphers));
        Require(OpenSsl.SetTickets(handle, 1));
        TlsCallbacks.SetOn(handle);
        // A session is resumed under the certificate that it began with, and no other.
        var id = shown is null ? SHA256.HashData([]) : SHA256.HashData(shown.TargetCertificate.RawDataMemory.Span);
        fixed (byte* bytes = id)
            Require(OpenSsl.SetSessionContext(handle, bytes, (uint)id.Length));
        if (shown is not null)
            Show(shown);
    }

    public override bool IsInvalid => handle == 0;

    /// <exception cref="CryptographicException">The certificate or its key is none that OpenSSL takes.</exception>
    public static TlsContext For(SslStreamCertificateContext certificate) => Known.GetValue(certificate, static c => new(c));

    /// <summary>A new connection's state (SSL). The context outlives it, whatever becomes of this object.</summary>
    public nint NewConnection()
    {
        var taken = false;
        try
        {
            DangerousAddRef(ref taken);
            var made = OpenSsl.New(handle);
            return made != 0 ? made : throw new CryptographicException("No TLS connection: " + OpenSsl.TakeError());
        }
        finally
        {
            if (taken)
                DangerousRelease();
        }
    }

    /// <summary>Has a connection go on with this context's certificate.</summary>
    public void GiveTo(nint ssl)
    {
        var taken = false;
        try
        {
            DangerousAddRef(ref taken);
            if (OpenSsl.SetContext(ssl, handle) != handle)
                throw new CryptographicException("The certificate cannot be shown: " + OpenSsl.TakeError());
        }
        finally
        {
            if (taken)
                DangerousRelease();
        }
    }

    protected override bool ReleaseHandle()
    {
        OpenSsl.FreeContext(handle);
        return true;
    }

    /// <summary>A context for clients that show this certificate and believe every server: for measurements. Free it.</summary>
    internal static nint Client(byte[] der, byte[] key)
    {
        var made = OpenSsl.NewContext(OpenSsl.ClientMethod());
        OpenSsl.ControlContext(made, OpenSsl.ControlMode, OpenSsl.Modes, 0);
        OpenSsl.ControlContext(made, OpenSsl.ControlReadAhead, 1, 0);
        Use(made, der, key);
        return made;
    }

    void Show(SslStreamCertificateContext shown)
    {
        var secret = Export(shown.TargetCertificate);
        try
        {
            Use(handle, shown.TargetCertificate.RawDataMemory.Span, secret);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
        foreach (var issuer in shown.IntermediateCertificates)
        {
            // Taken over by the context.
            var link = Read(issuer.RawDataMemory.Span);
            if (OpenSsl.ControlContext(handle, OpenSsl.ControlExtraChain, 0, link) != 1)
            {
                OpenSsl.FreeCertificate(link);
                throw new CryptographicException("The certificate's chain cannot be shown: " + OpenSsl.TakeError());
            }
        }
    }

    static void Use(nint context, ReadOnlySpan<byte> der, ReadOnlySpan<byte> secret)
    {
        var (certificate, key) = (Read(der), ReadKey(secret));
        var used = OpenSsl.UseCertificate(context, certificate) == 1 && OpenSsl.UseKey(context, key) == 1 && OpenSsl.CheckKey(context) == 1;
        OpenSsl.FreeCertificate(certificate);
        OpenSsl.FreeKey(key);
        if (!used)
            throw new CryptographicException("The certificate or its key cannot be used: " + OpenSsl.TakeError());
    }

    static nint Read(ReadOnlySpan<byte> der)
    {
        fixed (byte* bytes = der)
        {
            var at = bytes;
            var read = OpenSsl.ReadCertificate(0, ref at, der.Length);
            return read != 0 ? read : throw new CryptographicException("The certificate cannot be read: " + OpenSsl.TakeError());
        }
    }

    static nint ReadKey(ReadOnlySpan<byte> secret)
    {
        fixed (byte* bytes = secret)
        {
            var at = bytes;
            var key = OpenSsl.ReadPrivateKey(0, ref at, secret.Length);
            return key != 0 ? key : throw new CryptographicException("The certificate's key cannot be read: " + OpenSsl.TakeError());
        }
    }

    static byte[] Export(X509Certificate2 certificate)
    {
        using AsymmetricAlgorithm? key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey();
        return key?.ExportPkcs8PrivateKey() ?? throw new CryptographicException("The certificate has no private key of RSA or elliptic curves.");
    }

    static void Require(int result)
    {
        if (result != 1)
            throw new CryptographicException("OpenSSL does not take a setting: " + OpenSsl.TakeError());
    }
}

using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Althing.Sockets.Tls;

/// <summary>The calls of OpenSSL 3 that TLS on event loops needs, in the library that .NET itself uses.</summary>
static unsafe partial class OpenSsl
{
    public const int Tls12 = 0x0303;
    public const int Tls13 = 0x0304;

    public const int WantRead = 2;
    public const int WantWrite = 3;
    public const int SystemCallFailed = 5;
    public const int CloseNotify = 6;
    public const int WantClientHelloCallback = 11;

    /// <summary>What SSL_ERROR_SSL says when the stream ends without close_notify (SSL_R_UNEXPECTED_EOF_WHILE_READING).</summary>
    public const int UnexpectedEnd = 294;

    public const int VerifyPeer = 1;
    public const int NotAcknowledged = 3;
    public const int FatalAlert = 2;

    public const int ControlExtraChain = 14;
    public const int ControlMode = 33;
    public const int ControlReadAhead = 41;
    public const int ControlSessionCacheMode = 44;
    public const int ControlHostName = 55;
    public const int ControlMinVersion = 123;
    public const int ControlMaxVersion = 124;

    /// <summary>SSL_MODE_ENABLE_PARTIAL_WRITE, _ACCEPT_MOVING_WRITE_BUFFER, _AUTO_RETRY and _RELEASE_BUFFERS.</summary>
    public const int Modes = 0x1 | 0x2 | 0x4 | 0x10;

    /// <summary>SSL_OP_NO_COMPRESSION, _CIPHER_SERVER_PREFERENCE and _NO_RENEGOTIATION.</summary>
    public const ulong Options = (1ul << 17) | (1ul << 22) | (1ul << 30);

    /// <summary>OPENSSL_INIT_NO_ATEXIT: nothing is torn down while threads still use it.</summary>
    const ulong NoAtExit = 0x80000;

    const int ReasonMask = 0x7FFFFF;

    /// <summary>The library is there and is the very one that .NET uses, so that both may have the same certificates in hand.</summary>
    public static bool IsAvailable { get; } = OperatingSystem.IsLinux() && TryBegin();

    [SupportedOSPlatform("linux")]
    static bool TryBegin()
    {
        try
        {
            // .NET opens its library first, in its own manner.
            var theirs = SafeEvpPKeyHandle.OpenSslVersion;
            if (theirs >> 28 != 3 || !NativeLibrary.TryLoad("libssl.so.3", out var ssl) || !NativeLibrary.TryLoad("libcrypto.so.3", out var crypto))
                return false;
            NativeLibrary.SetDllImportResolver(typeof(OpenSsl).Assembly, (name, _, _) => name == "libssl" ? ssl : name == "libcrypto" ? crypto : 0);
            return Version() == (nuint)theirs && Initialize(NoAtExit, 0) == 1;
        }
        catch (Exception missing) when (missing is PlatformNotSupportedException or DllNotFoundException or EntryPointNotFoundException or TypeInitializationException)
        {
            return false;
        }
    }

    /// <summary>Why the last call failed, by OpenSSL's own words, and forgets it. Tells nothing that is secret.</summary>
    public static string TakeError()
    {
        var code = LastError();
        ClearErrors();
        return code == 0 ? "the connection broke" : Marshal.PtrToStringUTF8(ReasonText(code)) ?? "error " + (code & ReasonMask);
    }

    public static int LastReason => (int)(LastError() & ReasonMask);

    [LibraryImport("libcrypto", EntryPoint = "OpenSSL_version_num")]
    private static partial nuint Version();

    [LibraryImport("libssl", EntryPoint = "OPENSSL_init_ssl")]
    private static partial int Initialize(ulong options, nint settings);

    [LibraryImport("libcrypto", EntryPoint = "ERR_clear_error")]
    public static partial void ClearErrors();

    [LibraryImport("libcrypto", EntryPoint = "ERR_peek_last_error")]
    private static partial nuint LastError();

    [LibraryImport("libcrypto", EntryPoint = "ERR_reason_error_string")]
    private static partial nint ReasonText(nuint code);

    [LibraryImport("libcrypto", EntryPoint = "d2i_X509")]
    public static partial nint ReadCertificate(nint target, ref byte* der, nint bytes);

    [LibraryImport("libcrypto", EntryPoint = "X509_free")]
    public static partial void FreeCertificate(nint certificate);

    [LibraryImport("libcrypto", EntryPoint = "d2i_AutoPrivateKey")]
    public static partial nint ReadPrivateKey(nint target, ref byte* der, nint bytes);

    [LibraryImport("libcrypto", EntryPoint = "EVP_PKEY_free")]
    public static partial void FreeKey(nint key);

    [LibraryImport("libssl", EntryPoint = "TLS_server_method")]
    public static partial nint ServerMethod();

    [LibraryImport("libssl", EntryPoint = "TLS_client_method")]
    public static partial nint ClientMethod();

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_new")]
    public static partial nint NewContext(nint method);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_free")]
    public static partial void FreeContext(nint context);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_ctrl")]
    public static partial nint ControlContext(nint context, int command, nint number, nint pointer);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_set_options")]
    public static partial ulong SetOptions(nint context, ulong options);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_set_cipher_list", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetCiphers(nint context, string list);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_set_num_tickets")]
    public static partial int SetTickets(nint context, nuint count);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_set_session_id_context")]
    public static partial int SetSessionContext(nint context, byte* id, uint bytes);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_use_certificate")]
    public static partial int UseCertificate(nint context, nint certificate);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_use_PrivateKey")]
    public static partial int UseKey(nint context, nint key);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_check_private_key")]
    public static partial int CheckKey(nint context);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_set_verify")]
    public static partial void SetVerify(nint context, int mode, nint callback);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_set_cert_verify_callback")]
    public static partial void SetCertificateCallback(nint context, delegate* unmanaged[Cdecl]<nint, nint, int> callback, nint argument);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_set_client_hello_cb")]
    public static partial void SetHelloCallback(nint context, delegate* unmanaged[Cdecl]<nint, int*, nint, int> callback, nint argument);

    [LibraryImport("libssl", EntryPoint = "SSL_CTX_set_alpn_select_cb")]
    public static partial void SetProtocolCallback(nint context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, nint, int> callback, nint argument);

    [LibraryImport("libssl", EntryPoint = "SSL_client_hello_get0_ext")]
    public static partial int HelloExtension(nint ssl, uint type, out byte* bytes, out nuint count);

    [LibraryImport("libssl", EntryPoint = "SSL_new")]
    public static partial nint New(nint context);

    [LibraryImport("libssl", EntryPoint = "SSL_free")]
    public static partial void Free(nint ssl);

    [LibraryImport("libssl", EntryPoint = "SSL_set_fd")]
    public static partial int SetDescriptor(nint ssl, int fd);

    [LibraryImport("libssl", EntryPoint = "SSL_set_accept_state")]
    public static partial void BeServer(nint ssl);

    [LibraryImport("libssl", EntryPoint = "SSL_set_connect_state")]
    public static partial void BeClient(nint ssl);

    [LibraryImport("libssl", EntryPoint = "SSL_set_SSL_CTX")]
    public static partial nint SetContext(nint ssl, nint context);

    [LibraryImport("libssl", EntryPoint = "SSL_ctrl")]
    public static partial nint Control(nint ssl, int command, nint number, nint pointer);

    [LibraryImport("libssl", EntryPoint = "SSL_do_handshake")]
    public static partial int Handshake(nint ssl);

    [LibraryImport("libssl", EntryPoint = "SSL_read")]
    public static partial int Read(nint ssl, byte* bytes, int count);

    [LibraryImport("libssl", EntryPoint = "SSL_write")]
    public static partial int Write(nint ssl, byte* bytes, int count);

    [LibraryImport("libssl", EntryPoint = "SSL_shutdown")]
    public static partial int Shutdown(nint ssl);

    [LibraryImport("libssl", EntryPoint = "SSL_get_error")]
    public static partial int ErrorOf(nint ssl, int result);

    [LibraryImport("libssl", EntryPoint = "SSL_version")]
    public static partial int VersionOf(nint ssl);

    [LibraryImport("libssl", EntryPoint = "SSL_get_current_cipher")]
    public static partial nint CipherOf(nint ssl);

    [LibraryImport("libssl", EntryPoint = "SSL_CIPHER_get_protocol_id")]
    public static partial ushort CipherNumber(nint cipher);

    [LibraryImport("libssl", EntryPoint = "SSL_get0_alpn_selected")]
    public static partial void AgreedProtocol(nint ssl, out byte* bytes, out uint count);

    [LibraryImport("libssl", EntryPoint = "SSL_get1_peer_certificate")]
    public static partial nint PeerCertificate(nint ssl);
}

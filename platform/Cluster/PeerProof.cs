using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Althing.Identity;

namespace Althing.Cluster;

/// <summary>Both ends of a connection between nodes prove that they have the master key, without saying it.</summary>
sealed class PeerProof(MasterKey master)
{
    const int NonceBytes = 32;

    /// <summary>Nobody who has not proved anything may have us keep more than this.</summary>
    const int GreetingBytesMax = 4096;

    readonly byte[] key = master.Derive("connections between nodes");

    sealed record Hello(string Name, long Epoch, byte[] Nonce, byte[] Proof);

    /// <summary>The end that dials.</summary>
    /// <exception cref="IOException">The other end has another master key.</exception>
    public async Task Dial(Stream stream, string name, long epoch, CancellationToken cancel)
    {
        var challenge = await Expect(stream, FrameKind.Challenge, cancel);
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        var hello = new Hello(name, epoch, nonce, Prove("dial", name, epoch, challenge));
        await stream.WriteAsync(Frames.Make(FrameKind.Hello, JsonSerializer.SerializeToUtf8Bytes(hello)), cancel);
        Check(await Expect(stream, FrameKind.Welcome, cancel), Prove("door", name, epoch, nonce));
    }

    /// <summary>The end that listens.</summary>
    /// <returns>Which node dialled, in which of its lives.</returns>
    /// <exception cref="IOException">The other end has another master key.</exception>
    public async Task<(string Name, long Epoch)> Answer(Stream stream, CancellationToken cancel)
    {
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        await stream.WriteAsync(Frames.Make(FrameKind.Challenge, nonce), cancel);
        var hello = JsonSerializer.Deserialize<Hello>(await Expect(stream, FrameKind.Hello, cancel)) ?? throw new IOException("A node said nothing.");
        Check(hello.Proof, Prove("dial", hello.Name, hello.Epoch, nonce));
        await stream.WriteAsync(Frames.Make(FrameKind.Welcome, Prove("door", hello.Name, hello.Epoch, hello.Nonce)), cancel);
        return (hello.Name, hello.Epoch);
    }

    byte[] Prove(string end, string name, long epoch, byte[] nonce) =>
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{end}/{name}/{epoch}/{Convert.ToHexStringLower(nonce)}"));

    static void Check(byte[] given, byte[] right)
    {
        if (!CryptographicOperations.FixedTimeEquals(given, right))
            throw new IOException("The other end of a connection between nodes has another master key.");
    }

    static async Task<byte[]> Expect(Stream stream, FrameKind kind, CancellationToken cancel)
    {
        var (came, body) = await Frames.Read(stream, GreetingBytesMax, cancel);
        return came == kind ? body : throw new IOException($"A node sent {came} where {kind} was expected.");
    }
}

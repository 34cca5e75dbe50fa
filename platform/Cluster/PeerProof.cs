using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Althing.Identity;

namespace Althing.Cluster;

/// <summary>Both ends of a connection between nodes prove that they have the master key, without saying it.</summary>
sealed class PeerProof(MasterKey master, string self)
{
    const int NonceBytes = 32;

    /// <summary>Nobody who has not proved anything may have us keep more than this.</summary>
    const int GreetingBytesMax = 4096;

    readonly byte[] key = master.Derive("connections between nodes");

    sealed record Hello(string Name, long Epoch, byte[] Nonce, byte[] Proof);

    /// <summary>The end that dials.</summary>
    /// <param name="to">The node that should answer.</param>
    /// <exception cref="IOException">The other end has another master key, or is another node.</exception>
    public async Task Dial(Wire wire, string name, long epoch, string to)
    {
        var challenge = await Expect(wire, FrameKind.Challenge);
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        var hello = new Hello(name, epoch, nonce, Prove("dial", name, epoch, challenge));
        await wire.Write(Frames.Make(FrameKind.Hello, JsonSerializer.SerializeToUtf8Bytes(hello)));
        Check(await Expect(wire, FrameKind.Welcome), Prove("door of " + to, name, epoch, nonce));
    }

    /// <summary>The end that listens.</summary>
    /// <returns>Which node dialled, in which of its lives.</returns>
    /// <exception cref="IOException">The other end has another master key.</exception>
    public async Task<(string Name, long Epoch)> Answer(Wire wire)
    {
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        await wire.Write(Frames.Make(FrameKind.Challenge, nonce));
        var hello = JsonSerializer.Deserialize<Hello>(await Expect(wire, FrameKind.Hello)) ?? throw new IOException("A node said nothing.");
        Check(hello.Proof, Prove("dial", hello.Name, hello.Epoch, nonce));
        await wire.Write(Frames.Make(FrameKind.Welcome, Prove("door of " + self, hello.Name, hello.Epoch, hello.Nonce)));
        return (hello.Name, hello.Epoch);
    }

    byte[] Prove(string end, string name, long epoch, byte[] nonce) =>
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{end}/{name}/{epoch}/{Convert.ToHexStringLower(nonce)}"));

    static void Check(byte[] given, byte[] right)
    {
        if (!CryptographicOperations.FixedTimeEquals(given, right))
            throw new IOException("The other end of a connection between nodes has another master key, or is another node than it should be.");
    }

    static async Task<byte[]> Expect(Wire wire, FrameKind kind)
    {
        var (came, body) = await wire.Frames.Next(GreetingBytesMax);
        return came == kind ? body.ToArray() : throw new IOException($"A node sent {came} where {kind} was expected.");
    }
}

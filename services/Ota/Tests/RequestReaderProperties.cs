using System.Text;
using Althing.Ota.Delivery;
using CsCheck;

namespace Althing.Tests.Ota;

/// <summary>Whatever a device sends is a request or is refused: nothing else comes of it.</summary>
public sealed class RequestReaderProperties
{
    static readonly byte[] Json = Encoding.UTF8.GetBytes("""{"c":"rdy","s":1,"f":0,"l":4096,"o":2,"n":100,"b":"0x130080","x":[{"y":null}]}""");
    static readonly byte[] Cbor = Convert.FromHexString("BF616363726479617301616600616C191000616F02616E1864616243130080617881A16179F6FF");

    static void Read(PayloadFormat format, byte[] payload)
    {
        try
        {
            GetRequest.Of(RequestReader.Read(format, payload, out _)).BlocksOf(1_000_000);
        }
        catch (StreamRefusal)
        {
            // As it should be.
        }
    }

    [Fact]
    public void Both_forms_of_a_request_say_the_same()
    {
        var (json, cbor) = (RequestReader.Read(PayloadFormat.Json, Json, out var one), RequestReader.Read(PayloadFormat.Cbor, Cbor, out var two));
        Assert.Equal(("rdy", "rdy"), (one, two));
        Assert.Equal(json.Bitmap, cbor.Bitmap);
        Assert.Equal(json with { Bitmap = null }, cbor with { Bitmap = null });
        Assert.Equal(new RequestMembers { Token = "rdy", Version = 1, FileId = 0, BlockBytes = 4096, Offset = 2, Count = 100 }, json with { Bitmap = null });
    }

    [Fact]
    public void Noise_is_refused() => Gen.Byte.Array[0, 100].Sample(noise =>
    {
        Read(PayloadFormat.Json, noise);
        Read(PayloadFormat.Cbor, noise);
    });

    [Fact]
    public void A_request_that_was_damaged_on_its_way_is_read_or_refused() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 60], Gen.Byte.Array[0, 4], Gen.Int[0, 4]).Sample((isJson, at, added, removed) =>
        {
            var good = isJson ? Json : Cbor;
            at = Math.Min(at, good.Length);
            Read(isJson ? PayloadFormat.Json : PayloadFormat.Cbor, [.. good[..at], .. added, .. good[Math.Min(good.Length, at + removed)..]]);
        });
}

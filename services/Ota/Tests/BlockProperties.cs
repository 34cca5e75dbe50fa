using Althing.Ota.Delivery;
using CsCheck;

namespace Althing.Tests.Ota;

/// <summary>Which blocks a request means ("Build a bitmap for a GetStream request").</summary>
public sealed class BlockProperties
{
    static readonly Gen<(int Offset, int BlockBytes, int? Count, byte[]? Bitmap, long Bytes)> Requests = Gen.Select(
        Gen.Int[0, 300], Gen.OneOf(Gen.Const(256), Gen.Const(1000), Gen.Const(4096), Gen.Const(65_536), Gen.Const(131_072)), Gen.Int[0, 600].Nullable(), Gen.Byte.Array[0, 60].Null(), Gen.Long[0, 20_000_000]);

    static GetRequest Request((int Offset, int BlockBytes, int? Count, byte[]? Bitmap, long) r) =>
        new() { FileId = 0, BlockBytes = r.BlockBytes, Offset = r.Offset, Count = r.Count, Bitmap = r.Bitmap };

    [Fact]
    public void The_example_of_the_documentation_means_blocks_20_21_24_and_43()
    {
        var request = new GetRequest { FileId = 1, BlockBytes = 256, Offset = 20, Count = 32, Bitmap = [0x13, 0x00, 0x80] };
        Assert.Equal([20, 21, 24, 43], request.BlocksOf(100_000));
        Assert.Equal([20, 21, 24], request.BlocksOf(43 * 256));
        Assert.Equal([20, 21], (request with { Count = 2 }).BlocksOf(100_000));
    }

    [Fact]
    public void Blocks_are_in_the_file_in_order_and_never_more_than_one_answer_may_have() => Requests.Sample(r =>
    {
        var blocks = Request(r).BlocksOf(r.Bytes);
        return blocks.All(b => b >= r.Offset && (long)b * r.BlockBytes < r.Bytes)
            && blocks.Zip(blocks.Skip(1)).All(p => p.First < p.Second)
            && (long)blocks.Count * r.BlockBytes <= GetRequest.AnswerBytesMax
            && (r.Count is not > 0 || blocks.Count <= r.Count);
    });

    [Fact]
    public void Asking_for_what_is_missing_again_and_again_gets_every_block_that_a_bitmap_names() => Requests.Where(r => r.Bitmap is not null).Sample(r =>
    {
        var named = Enumerable.Range(0, r.Bitmap!.Length * 8).Where(bit => (r.Bitmap[bit / 8] & 1 << (bit % 8)) != 0 && (long)(r.Offset + bit) * r.BlockBytes < r.Bytes).ToList();
        List<int> got = [];
        var left = (byte[])r.Bitmap.Clone();
        while (true)
        {
            var blocks = Request(r with { Bitmap = left }).BlocksOf(r.Bytes);
            if (blocks.Count == 0)
                break;
            got.AddRange(blocks);
            foreach (var bit in blocks.Select(b => b - r.Offset))
                left[bit / 8] &= (byte)~(1 << (bit % 8));
        }
        return got.SequenceEqual(named.Select(bit => r.Offset + bit));
    });
}

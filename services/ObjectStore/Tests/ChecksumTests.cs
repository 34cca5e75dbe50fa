using System.Text;
using Althing.ObjectStore.Digests;

namespace Althing.Tests.ObjectStore;

public sealed class ChecksumTests
{
    /// <summary>The check values of the catalogue of CRC algorithms: of the digits 1 to 9.</summary>
    [Theory]
    [InlineData("CRC32", "y/Q5Jg==")]
    [InlineData("CRC32C", "4waSgw==")]
    [InlineData("CRC64NVME", "rosUhgp5mIg=")]
    public void Known_contents_have_their_known_checksums(string name, string expected)
    {
        using var running = ChecksumAlgorithm.Find(name)!.Start();
        running.Append(Encoding.ASCII.GetBytes("123456789"));
        Assert.Equal(expected, running.Finish());
    }

    [Theory]
    [InlineData("CRC32")]
    [InlineData("CRC32C")]
    [InlineData("CRC64NVME")]
    public void The_checksum_of_a_whole_follows_from_those_of_its_parts(string name)
    {
        var algorithm = ChecksumAlgorithm.Find(name)!;
        var whole = new byte[100_003];
        new Random(7).NextBytes(whole);
        List<(string, long)> parts = [];
        for (var from = 0; from < whole.Length;)
        {
            var part = whole[from..Math.Min(whole.Length, from + 1 + (from / 2))];
            parts.Add((Of(part), part.Length));
            from += part.Length;
        }
        Assert.Equal(Of(whole), algorithm.OfParts(parts, ChecksumAlgorithm.FullObject));

        string Of(byte[] content)
        {
            using var running = algorithm.Start();
            running.Append(content);
            return running.Finish();
        }
    }
}

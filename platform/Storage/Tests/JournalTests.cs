using System.Text;

namespace Althing.Tests.Storage;

public sealed class JournalTests : IAsyncDisposable
{
    static readonly CancellationToken None = CancellationToken.None;
    readonly TemporaryStorage storage = new();

    [Fact]
    public async Task Records_come_back_in_the_order_of_their_appends()
    {
        var journal = storage.Open.Journal("j");
        var positions = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => journal.Append(BitConverter.GetBytes(i), None).AsTask()));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), positions);
        await storage.Reopen();
        var read = await Read(0);
        Assert.Equal(Enumerable.Range(0, 1000), read.Select(r => BitConverter.ToInt32(r.Record.Span)));
        Assert.Equal(500, (await Read(500))[0].Position);
    }

    [Fact]
    public async Task A_torn_record_is_cut_off_and_appending_goes_on()
    {
        await storage.Open.Journal("j").Append(Encoding.ASCII.GetBytes("whole"), None);
        await storage.Open.Journal("j").DisposeAsync();
        var file = Directory.GetFiles(Path.Combine(storage.Folder, "journals", "j")).Single();
        using (var stream = new FileStream(file, FileMode.Append))
            stream.Write([200, 0, 0, 0, 1, 2, 3, 4, 5]);
        await using var journal = new Althing.Storage.Engines.FileJournal(Path.GetDirectoryName(file)!);
        Assert.Equal(1, await journal.Append(Encoding.ASCII.GetBytes("next"), None));
        List<string> records = [];
        await foreach (var (_, record) in journal.Replay(0, None))
            records.Add(Encoding.ASCII.GetString(record.Span));
        Assert.Equal(["whole", "next"], records);
    }

    async Task<List<(long Position, ReadOnlyMemory<byte> Record)>> Read(long from)
    {
        List<(long, ReadOnlyMemory<byte>)> records = [];
        await foreach (var record in storage.Open.Journal("j").Replay(from, None))
            records.Add(record);
        return records;
    }

    public ValueTask DisposeAsync() => storage.DisposeAsync();
}

using System.Text;

namespace Althing.Tests.Storage;

public sealed class PostgresJournalTests() : JournalTests(postgres: true);

public sealed class FileJournalTests() : JournalTests(postgres: false)
{
    static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_torn_record_is_cut_off_and_appending_goes_on()
    {
        await storage.Open.Journal("j").Append(Encoding.ASCII.GetBytes("whole"), None);
        await storage.Open.Journal("j").DisposeAsync();
        var file = Directory.GetFiles(Path.Combine(storage.Folder, "journals", "j")).Single();
        using (var stream = new FileStream(file, FileMode.Append))
            stream.Write([200, 0, 0, 0, 1, 2, 3, 4, 5]);
        await using Althing.Storage.IJournal journal = new Althing.Storage.Engines.FileJournal(Path.GetDirectoryName(file)!);
        Assert.Equal(1, await journal.Append(Encoding.ASCII.GetBytes("next"), None));
        List<string> records = [];
        await foreach (var (_, record) in journal.Replay(0, long.MaxValue, None))
            records.Add(Encoding.ASCII.GetString(record.Span));
        Assert.Equal(["whole", "next"], records);
    }

    [Fact]
    public async Task Wherever_the_last_record_is_cut_the_ones_before_it_stay()
    {
        foreach (var text in (string[])["one", "two", "three"])
            await storage.Open.Journal("j").Append(Encoding.ASCII.GetBytes(text), None);
        await storage.Open.Journal("j").DisposeAsync();
        var file = Directory.GetFiles(Path.Combine(storage.Folder, "journals", "j")).Single();
        var whole = await File.ReadAllBytesAsync(file, None);
        for (var cut = whole.Length - 1; cut >= 22; cut--)
        {
            await File.WriteAllBytesAsync(file, whole[..cut], None);
            await using Althing.Storage.IJournal journal = new Althing.Storage.Engines.FileJournal(Path.GetDirectoryName(file)!);
            Assert.Equal(["one", "two"], await Texts(journal));
            Assert.Equal(22, new FileInfo(file).Length);
        }
    }

    [Fact]
    public async Task Segments_follow_each_other_trimming_frees_them_and_damage_in_one_is_said()
    {
        var folder = Path.Combine(storage.Folder, "journals", "small");
        await using (Althing.Storage.IJournal journal = new Althing.Storage.Engines.FileJournal(folder, segmentBytes: 100))
        {
            for (var i = 0; i < 30; i++)
                await journal.Append(Encoding.ASCII.GetBytes($"record-{i:D2}"), None);
            Assert.Equal(30, (await Texts(journal)).Count);
            await journal.Trim(15, None);
        }
        await using (Althing.Storage.IJournal journal = new Althing.Storage.Engines.FileJournal(folder, segmentBytes: 100))
        {
            var kept = await Texts(journal);
            Assert.InRange(kept.Count, 15, 21);
            Assert.Equal("record-29", kept[^1]);
            Assert.Equal(30, await journal.Append(Encoding.ASCII.GetBytes("record-30"), None));
        }
        var first = Directory.GetFiles(folder).Order().First();
        var bytes = await File.ReadAllBytesAsync(first, None);
        bytes[10] ^= 1;
        await File.WriteAllBytesAsync(first, bytes, None);
        await using Althing.Storage.IJournal damaged = new Althing.Storage.Engines.FileJournal(folder);
        Assert.Contains(first, (await Assert.ThrowsAsync<InvalidDataException>(() => Texts(damaged))).Message, StringComparison.Ordinal);
    }

    static async Task<List<string>> Texts(Althing.Storage.IJournal journal)
    {
        List<string> texts = [];
        await foreach (var (_, record) in journal.Replay(0, long.MaxValue, None))
            texts.Add(Encoding.ASCII.GetString(record.Span));
        return texts;
    }
}

/// <summary>What both engines must do.</summary>
public abstract class JournalTests(bool postgres) : IAsyncDisposable
{
    static readonly CancellationToken None = CancellationToken.None;
    private protected readonly TemporaryStorage storage = new(postgres);

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
    public async Task Positions_go_on_after_a_trim_and_a_restart()
    {
        for (var i = 0; i < 10; i++)
            await storage.Open.Journal("j").Append(BitConverter.GetBytes(i), None);
        await storage.Open.Journal("j").Trim(8, None);
        await storage.Reopen();
        Assert.Equal(10, await storage.Open.Journal("j").Append(BitConverter.GetBytes(10), None));
        Assert.Equal([8L, 9, 10], (await Read(8)).Select(r => r.Position));
    }

    [Fact]
    public async Task Empty_and_large_records_are_kept_whole()
    {
        var large = new byte[3_000_000];
        Random.Shared.NextBytes(large);
        await storage.Open.Journal("j").Append(Array.Empty<byte>(), None);
        await storage.Open.Journal("j").Append(large, None);
        await storage.Reopen();
        var read = await Read(0);
        Assert.Empty(read[0].Record.ToArray());
        Assert.Equal(large, read[1].Record.ToArray());
    }

    [Fact]
    public async Task Single_records_are_read_again_wherever_they_are()
    {
        var records = Enumerable.Range(0, 3000).Select(i => new byte[4 + (i % 97) + (i % 500 == 499 ? 40_000 : 0)]).ToList();
        for (var i = 0; i < records.Count; i++)
            BitConverter.TryWriteBytes(records[i], i);
        await Task.WhenAll(records.Take(2000).Select(r => storage.Open.Journal("j").Append(r, None).AsTask()));
        await storage.Reopen();
        var journal = storage.Open.Journal("j");
        await Task.WhenAll(records.Skip(2000).Select(r => journal.Append(r, None).AsTask()));
        Assert.Equal(3000, await journal.End(None));
        foreach (var step in (int[])[1, 2, 7, 150, 1999])
        {
            var wanted = Enumerable.Range(0, 3000).Where(i => i % step == 0).Select(i => (long)i).ToList();
            List<(int, byte[])> got = [];
            await journal.Read(wanted, (index, record) => got.Add((index, record.ToArray())), None);
            Assert.Equal(wanted.Select((position, index) => (index, records[(int)position])), got);
        }
    }

    [Fact]
    public async Task A_part_of_the_log_is_read_in_order()
    {
        var journal = storage.Open.Journal("j");
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(i => journal.Append(new byte[i % 50], None).AsTask()));
        List<long> positions = [];
        await foreach (var (position, record) in journal.Replay(777, 1500, None))
        {
            Assert.Equal(position % 50, record.Length);
            positions.Add(position);
        }
        Assert.Equal(Enumerable.Range(777, 1500 - 777).Select(i => (long)i), positions);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../up")]
    [InlineData("a/b")]
    public void A_name_that_is_not_letters_digits_and_hyphens_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => storage.Open.Journal(name));

    async Task<List<(long Position, ReadOnlyMemory<byte> Record)>> Read(long from)
    {
        List<(long, ReadOnlyMemory<byte>)> records = [];
        await foreach (var record in storage.Open.Journal("j").Replay(from, long.MaxValue, None))
            records.Add((record.Position, record.Record.ToArray()));
        return records;
    }

    public async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

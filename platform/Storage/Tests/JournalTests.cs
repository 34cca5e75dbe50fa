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
        await using var journal = new Althing.Storage.Engines.FileJournal(Path.GetDirectoryName(file)!);
        Assert.Equal(1, await journal.Append(Encoding.ASCII.GetBytes("next"), None));
        List<string> records = [];
        await foreach (var (_, record) in journal.Replay(0, None))
            records.Add(Encoding.ASCII.GetString(record.Span));
        Assert.Equal(["whole", "next"], records);
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

    [Theory]
    [InlineData("")]
    [InlineData("../up")]
    [InlineData("a/b")]
    public void A_name_that_is_not_letters_digits_and_hyphens_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => storage.Open.Journal(name));

    async Task<List<(long Position, ReadOnlyMemory<byte> Record)>> Read(long from)
    {
        List<(long, ReadOnlyMemory<byte>)> records = [];
        await foreach (var record in storage.Open.Journal("j").Replay(from, None))
            records.Add(record);
        return records;
    }

    public async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

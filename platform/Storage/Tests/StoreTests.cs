using Althing.Storage;
using CsCheck;

namespace Althing.Tests.Storage;

public sealed class SqliteStoreTests() : StoreTests(postgres: false);

public sealed class PostgresStoreTests() : StoreTests(postgres: true);

/// <summary>What both engines must do.</summary>
public abstract class StoreTests(bool postgres) : IAsyncDisposable
{
    static readonly AccountId One = new("000000000001");
    static readonly AccountId Two = new("000000000002");
    static readonly CancellationToken None = CancellationToken.None;

    sealed record Pump(AccountId Account, string Name, string? Site, int Litres)
    {
        public static readonly Table<Pump> Table = new("pumps", p => (p.Account, p.Name), Index<Pump>.On("site", p => p.Site));
    }

    readonly TemporaryStorage storage = new(postgres);
    IStore Store => storage.Store;

    [Fact]
    public async Task A_row_is_there_after_a_restart()
    {
        await Store.Commit(new Batch().Add(Pump.Table, new Pump(One, "a", "north", 5)), None);
        await storage.Reopen();
        var row = await Store.Get(Pump.Table, One, "a", None);
        Assert.Equal(new Pump(One, "a", "north", 5), row!.Value.Value);
        Assert.Equal(1, row.Value.Version);
    }

    [Fact]
    public async Task Accounts_do_not_see_each_others_rows()
    {
        await Store.Commit(new Batch().Add(Pump.Table, new Pump(One, "a", "north", 5)), None);
        Assert.Null(await Store.Get(Pump.Table, Two, "a", None));
        Assert.Empty(await Store.Scan(Pump.Table, Two, Scan.All, None));
        Assert.Empty(await Store.Scan(Pump.Table, Two, Scan.By("site", "north"), None));
    }

    [Fact]
    public async Task A_batch_with_a_broken_condition_writes_nothing()
    {
        await Store.Commit(new Batch().Add(Pump.Table, new Pump(One, "a", null, 5)), None);
        var batch = new Batch().Put(Pump.Table, new Pump(One, "b", null, 1)).Add(Pump.Table, new Pump(One, "a", null, 6));
        var conflict = await Assert.ThrowsAsync<StorageConflictException>(async () => await Store.Commit(batch, None));
        Assert.Equal("a", conflict.RowKey);
        Assert.Null(await Store.Get(Pump.Table, One, "b", None));
    }

    [Fact]
    public async Task Of_many_replacements_of_one_reading_one_wins()
    {
        await Store.Commit(new Batch().Add(Pump.Table, new Pump(One, "a", null, 0)), None);
        var read = (await Store.Get(Pump.Table, One, "a", None))!.Value;
        var outcomes = await Task.WhenAll(Enumerable.Range(1, 20).Select(async litres =>
        {
            try
            {
                await Store.Commit(new Batch().Replace(Pump.Table, read, new Pump(One, "a", null, litres)), None);
                return true;
            }
            catch (StorageConflictException)
            {
                return false;
            }
        }));
        Assert.Single(outcomes, won => won);
    }

    [Fact]
    public async Task An_index_follows_its_rows()
    {
        await Store.Commit(new Batch().Add(Pump.Table, new Pump(One, "a", "north", 1)).Add(Pump.Table, new Pump(One, "b", "north", 2)), None);
        await Store.Commit(new Batch().Put(Pump.Table, new Pump(One, "a", "south", 1)), None);
        Assert.Equal(["b"], await Names(Scan.By("site", "north")));
        await Store.Commit(new Batch().Delete<Pump>(Pump.Table, One, "b"), None);
        Assert.Empty(await Names(Scan.By("site", "north")));
        Assert.Equal(1, await Store.Count(Pump.Table, One, Scan.By("site", "south"), None));
    }

    [Fact]
    public async Task Pages_of_any_size_give_the_rows_of_a_sorted_list()
    {
        var name = Gen.String[Gen.Char["abc:/é\u001f"], 1, 3];
        await Gen.Select(name.Array[0, 30], Gen.Int[1, 7], Gen.Bool).SampleAsync(async (chosen, size, descending) =>
        {
            await using var fresh = new TemporaryStorage(postgres);
            foreach (var name in chosen)
                await fresh.Store.Commit(new Batch().Put(Pump.Table, new Pump(One, name, name[..1], 0)), None);
            foreach (var scan in new[] { new Scan(), new Scan { Index = "site" } })
            {
                List<string> paged = [];
                for (string? after = null; ;)
                {
                    var page = await fresh.Store.Scan(Pump.Table, One, scan with { Limit = size, After = after, Descending = descending }, None);
                    paged.AddRange(page.Select(r => r.Key));
                    if (page.Count < size)
                        break;
                    after = page[^1].Cursor;
                }
                var expected = chosen.Distinct().Order(StringComparer.Ordinal).ToList();
                if (scan.Index is not null)
                    expected = [.. expected.OrderBy(n => n[..1], StringComparer.Ordinal).ThenBy(n => n, StringComparer.Ordinal)];
                if (descending)
                    expected.Reverse();
                Assert.Equal(expected, paged);
            }
        }, iter: 12);
    }

    [Fact]
    public async Task Every_row_of_every_account_is_found_over_many_pages()
    {
        var batch = new Batch();
        for (var i = 0; i < 2500; i++)
            batch.Put(Pump.Table, new Pump(i % 2 == 0 ? One : Two, $"pump-{i:D5}", null, i));
        await Store.Commit(batch, None);
        List<int> litres = [];
        await foreach (var row in Store.ScanAll(Pump.Table, None))
            litres.Add(row.Value.Litres);
        Assert.Equal(Enumerable.Range(0, 2500), litres.Order());
    }

    [Fact]
    public async Task Many_rows_are_paged_and_found_by_index()
    {
        const int rows = 12_000;
        for (var i = 0; i < rows; i += 1000)
        {
            var batch = new Batch();
            for (var k = i; k < i + 1000; k++)
                batch.Put(Pump.Table, new Pump(One, $"pump-{k:D6}", $"site-{k % 10}", k));
            await Store.Commit(batch, None);
        }
        Assert.Equal(rows, await Store.Count(Pump.Table, One, Scan.All, None));
        Assert.Equal(1000, await Store.Count(Pump.Table, One, Scan.Under("pump-003"), None));
        Assert.Equal(Scan.LimitMax, (await Store.Scan(Pump.Table, One, Scan.All with { Limit = int.MaxValue }, None)).Count);
        foreach (var (scan, expected) in new[]
        {
            (Scan.By("site", "site-3"), Enumerable.Range(0, rows).Where(k => k % 10 == 3)),
            (new Scan { Index = "site", Prefix = "site-", Descending = true }, Enumerable.Range(0, rows).OrderByDescending(k => k % 10).ThenByDescending(k => k)),
        })
        {
            List<int> litres = [];
            for (string? after = null; ;)
            {
                var page = await Store.Scan(Pump.Table, One, scan with { Limit = 700, After = after }, None);
                litres.AddRange(page.Select(r => r.Value.Litres));
                if (page.Count < 700)
                    break;
                after = page[^1].Cursor;
            }
            Assert.Equal(expected, litres);
        }
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Store.Scan(Pump.Table, One, Scan.By("none", ""), None));
    }

    [Fact]
    public async Task The_check_of_a_working_store_passes()
    {
        await storage.Open.Check(None);
        await storage.Open.Check(None);
    }

    [Fact]
    public async Task A_conflict_fails_its_own_batch_and_not_its_neighbours()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            try
            {
                await Store.Commit(new Batch().Put(Pump.Table, new Pump(One, $"own-{i}", null, i)).Add(Pump.Table, new Pump(One, $"shared-{i / 2}", null, i)), None);
                return i;
            }
            catch (StorageConflictException)
            {
                return -1;
            }
        }));
        var won = outcomes.Where(i => i >= 0).ToHashSet();
        Assert.Equal(100, won.Count);
        Assert.Equal(won, (await Store.Scan(Pump.Table, One, Scan.Under("own-"), None)).Select(r => r.Value.Litres).ToHashSet());
    }

    [Fact]
    public async Task Text_of_any_kind_comes_back_as_it_was_and_a_null_character_in_a_key_is_refused()
    {
        const string site = "\"\\' %_ \t\r\n é 漢 😀";
        await Store.Commit(new Batch().Put(Pump.Table, new Pump(One, "a'%_😀", site, 1)), None);
        Assert.Equal(site, Assert.Single(await Store.Scan(Pump.Table, One, Scan.By("site", site), None)).Value.Site);
        Assert.Empty(await Names(Scan.Under("a_")));
        Assert.Throws<ArgumentException>(() => new Batch().Put(Pump.Table, new Pump(One, "a\0b", null, 1)));
        Assert.Throws<ArgumentException>(() => new Batch().Put(Pump.Table, new Pump(One, "a", "\ud83d", 1)));
        Assert.Null(await Store.Get(Pump.Table, One, "\ude00\ud83d", None));
        Assert.Null(await Store.Get(Pump.Table, One, "a\0b", None));
        Assert.Empty(await Names(Scan.Under("\0")));
    }

    [Fact]
    public void A_second_opening_of_one_folder_is_refused()
    {
        var refusal = Assert.Throws<DataFolderInUseException>(() => PlatformStorage.Open(new() { Folder = storage.Folder }));
        Assert.Contains(storage.Folder, refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"{Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
    }

    async Task<IEnumerable<string>> Names(Scan scan) => (await Store.Scan(Pump.Table, One, scan, None)).Select(r => r.Key);

    public async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

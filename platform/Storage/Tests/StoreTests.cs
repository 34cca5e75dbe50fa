using Althing.Storage;
using CsCheck;

namespace Althing.Tests.Storage;

public sealed class StoreTests : IAsyncDisposable
{
    static readonly AccountId One = new("000000000001");
    static readonly AccountId Two = new("000000000002");
    static readonly CancellationToken None = CancellationToken.None;

    sealed record Pump(AccountId Account, string Name, string? Site, int Litres)
    {
        public static readonly Table<Pump> Table = new("pumps", p => (p.Account, p.Name), Index<Pump>.On("site", p => p.Site));
    }

    readonly TemporaryStorage storage = new();
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
            await using var fresh = new TemporaryStorage();
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
    public void A_second_opening_of_one_folder_is_refused()
    {
        var refusal = Assert.Throws<DataFolderInUseException>(() => PlatformStorage.Open(new() { Folder = storage.Folder }));
        Assert.Contains(storage.Folder, refusal.Message, StringComparison.Ordinal);
    }

    async Task<IEnumerable<string>> Names(Scan scan) => (await Store.Scan(Pump.Table, One, scan, None)).Select(r => r.Key);

    public ValueTask DisposeAsync() => storage.DisposeAsync();
}

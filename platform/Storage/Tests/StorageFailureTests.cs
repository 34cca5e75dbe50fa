using Althing.Storage;
using Althing.Storage.Engines;
using Npgsql;

namespace Althing.Tests.Storage;

/// <summary>Disks that fill up, databases of other versions.</summary>
public sealed class StorageFailureTests
{
    static readonly AccountId One = new("000000000001");
    static readonly CancellationToken None = CancellationToken.None;

    sealed record Load(AccountId Account, string Name, string Text)
    {
        public static readonly Table<Load> Table = new("loads", l => (l.Account, l.Name));
    }

    [Fact]
    public async Task A_full_disk_refuses_writes_loses_none_acknowledged_and_is_written_again_when_there_is_room()
    {
        using var disk = SmallDisk.Mount(megabytes: 4);
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[1_500_000], None);
        StorageOptions options = new() { Folder = Path.Combine(disk.Folder, "data") };
        int rows = 0, records = 0;
        await using (var storage = PlatformStorage.Open(options))
        {
            await storage.Check(None);
            var text = new string('x', 20_000);
            await Assert.ThrowsAsync<StorageException>(async () =>
            {
                for (; ; rows++)
                    await storage.Store.Commit(new Batch().Add(Load.Table, new Load(One, $"{rows:D4}", text)), None);
            });
            await Assert.ThrowsAsync<StorageException>(async () =>
            {
                for (; ; records++)
                    await storage.Journal("j").Append(new byte[5000], None);
            });
            await Assert.ThrowsAsync<IOException>(async () => await storage.Blobs.Put(One, "b", new MemoryStream(new byte[100_000]), None));
            Assert.Equal(rows, await storage.Store.Count(Load.Table, One, Scan.All, None));

            File.Delete(ballast);
            await storage.Check(None);
            await storage.Store.Commit(new Batch().Add(Load.Table, new Load(One, $"{rows++:D4}", text)), None);
            Assert.Equal(records, await storage.Journal("j").Append(new byte[5000], None));
            await storage.Blobs.Put(One, "b", new MemoryStream(new byte[100_000]), None);
        }
        await using var again = PlatformStorage.Open(options);
        Assert.Equal(rows, (await again.Store.Scan(Load.Table, One, Scan.All, None)).Count);
        var read = 0;
        await foreach (var (_, record) in again.Journal("j").Replay(0, long.MaxValue, None))
            read += record.Length == 5000 ? 1 : 0;
        Assert.Equal(records + 1, read);
    }

    [Fact]
    public void An_older_database_is_brought_forward_with_its_rows_and_a_failed_step_changes_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("althing-test-");
        using (var session = new SqliteSession($"Data Source={Path.Combine(folder.FullName, "t.db")};Pooling=false"))
        {
            string[] first = ["CREATE TABLE old(id INTEGER, name TEXT); INSERT INTO old VALUES(7, 'kept')"];
            Migrations.Run(session, first);
            Assert.ThrowsAny<Exception>(() => Migrations.Run(session, [.. first, "ALTER TABLE old ADD COLUMN more TEXT; SELECT * FROM no_such_table"]));
            session.TryRollback();
            Assert.Equal(1, session.QueryNumber("PRAGMA user_version"));
            Migrations.Run(session, [.. first, "ALTER TABLE old ADD COLUMN more TEXT DEFAULT 'new'", "CREATE INDEX old_name ON old(name)"]);
            Assert.Equal(3, session.QueryNumber("PRAGMA user_version"));
            Assert.Equal(7, session.QueryNumber("SELECT id FROM old WHERE name='kept' AND more='new'"));
            Assert.Contains("version 3", Assert.Throws<StorageVersionException>(() => Migrations.Run(session, first)).Message, StringComparison.Ordinal);
        }
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_folder_of_a_newer_version_is_refused_and_not_locked()
    {
        await using var folder = new TemporaryStorage();
        await folder.Open.DisposeAsync();
        using (var session = new SqliteSession($"Data Source={Path.Combine(folder.Folder, "tables.db")};Pooling=false"))
            session.Execute("PRAGMA user_version=99");
        Assert.Throws<StorageVersionException>(() => PlatformStorage.Open(folder.Options));
        Assert.Throws<StorageVersionException>(() => PlatformStorage.Open(folder.Options));
    }

    [Fact]
    public async Task A_schema_of_a_newer_version_is_refused()
    {
        await using var storage = new TemporaryStorage(postgres: true);
        await storage.Open.DisposeAsync();
        await using (var source = NpgsqlDataSource.Create(storage.Options.PostgreSql!))
        await using (var command = source.CreateCommand("UPDATE schema_version SET version = 99"))
            await command.ExecuteNonQueryAsync(None);
        Assert.Throws<StorageVersionException>(() => PlatformStorage.Open(storage.Options));
    }

    [Fact]
    public async Task A_database_that_goes_away_is_a_storage_failure_and_is_used_again_when_it_is_back()
    {
        await using var storage = new TemporaryStorage(postgres: true);
        await storage.Open.Check(None);
        var journal = storage.Open.Journal("j");
        await journal.Append(new byte[1], None);
        await using (var source = NpgsqlDataSource.Create(storage.Options.PostgreSql!))
        await using (var command = source.CreateCommand($"""
            ALTER TABLE rows RENAME TO gone; ALTER TABLE records RENAME TO gone_too;
            """))
        {
            await command.ExecuteNonQueryAsync(None);
            await Assert.ThrowsAsync<StorageException>(async () => await storage.Open.Check(None));
            await Assert.ThrowsAsync<StorageException>(async () => await journal.Append(new byte[2], None));
            command.CommandText = "ALTER TABLE gone RENAME TO rows; ALTER TABLE gone_too RENAME TO records";
            await command.ExecuteNonQueryAsync(None);
        }
        await storage.Open.Check(None);
        Assert.Equal(1, await journal.Append(new byte[3], None));
    }

    [Fact]
    public void A_database_out_of_reach_is_named()
    {
        var folder = Directory.CreateTempSubdirectory("althing-test-");
        var failure = Assert.Throws<StorageException>(() => PlatformStorage.Open(new() { Folder = folder.FullName, PostgreSql = "Host=127.0.0.1;Port=1;Username=u;Password=secret" }));
        Assert.Contains("127.0.0.1:1", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }
}

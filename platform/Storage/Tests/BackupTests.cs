using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Althing.Storage;

namespace Althing.Tests.Storage;

public sealed class PostgresBackupTests() : BackupTests(postgres: true);

public sealed class FolderBackupTests() : BackupTests(postgres: false);

/// <summary>What a backup must do with both engines.</summary>
public abstract class BackupTests(bool postgres) : IAsyncDisposable
{
    static readonly AccountId One = new("000000000001");
    static readonly CancellationToken None = CancellationToken.None;

    sealed record Pump(AccountId Account, string Name, string Site)
    {
        public static readonly Table<Pump> Table = new("pumps", p => (p.Account, p.Name), Index<Pump>.On("site", p => p.Site));
    }

    readonly TemporaryStorage storage = new(postgres);
    readonly string outside = Directory.CreateTempSubdirectory("althing-backup-").FullName;
    string File => Path.Combine(outside, "it.backup");
    string Restored => Path.Combine(outside, "restored");

    [Fact]
    public async Task Taken_during_writes_it_holds_every_write_acknowledged_before_it_began()
    {
        using var stop = new CancellationTokenSource();
        var acknowledged = new ConcurrentQueue<int>();
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writers = Enumerable.Range(0, 4).Select(w => Task.Run(async () =>
        {
            for (var i = w; !stop.IsCancellationRequested; i += 4)
            {
                await WriteAll(i);
                acknowledged.Enqueue(i);
                if (acknowledged.Count == 100)
                    enough.SetResult();
            }
        })).ToArray();
        await enough.Task;
        var before = acknowledged.ToArray();
        await Backup.Write(storage.Options, File, TimeProvider.System, None);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        var options = RestoreOptions();
        await Backup.Restore(File, options, None);
        await using var restored = PlatformStorage.Open(options);
        var rows = (await restored.Store.Scan(Pump.Table, One, Scan.By("site", "north"), None)).Select(r => r.Key).ToHashSet();
        var records = new HashSet<int>();
        await foreach (var (_, record) in restored.Journal("j").Replay(0, long.MaxValue, None))
            records.Add(BitConverter.ToInt32(record.Span));
        foreach (var i in before)
        {
            Assert.Contains($"left-{i}", rows);
            Assert.Contains(i, records);
            await using var blob = await restored.Blobs.Get(One, $"blob-{i}", None);
            Assert.NotNull(blob);
        }
        // A batch is there whole or not at all.
        Assert.Equal(rows.Count(r => r.StartsWith("left", StringComparison.Ordinal)), rows.Count(r => r.StartsWith("right", StringComparison.Ordinal)));
        // And the journals go on behind what they hold.
        Assert.Equal(records.Count, await restored.Journal("j").Append(BitConverter.GetBytes(-1), None));
    }

    [Fact]
    public async Task Keys_and_certificates_come_along_with_their_rights_and_what_is_the_processes_own_does_not()
    {
        Directory.CreateDirectory(Path.Combine(storage.Folder, "pki"));
        foreach (var (name, mode) in new[] { ("pki/root.key", 0x180), ("ca.pem", 0x1A4) })
        {
            var path = Path.Combine(storage.Folder, name);
            System.IO.File.WriteAllText(path, name);
            System.IO.File.SetUnixFileMode(path, (UnixFileMode)mode);
        }
        System.IO.File.WriteAllText(Path.Combine(storage.Folder, "running"), "http://127.0.0.1:1");
        await Backup.Write(storage.Options, File, TimeProvider.System, None);
        Assert.Equal((UnixFileMode)0x180, System.IO.File.GetUnixFileMode(File));
        await Backup.Restore(File, RestoreOptions(), None);
        Assert.Equal("pki/root.key", System.IO.File.ReadAllText(Path.Combine(Restored, "pki/root.key")));
        Assert.Equal((UnixFileMode)0x180, System.IO.File.GetUnixFileMode(Path.Combine(Restored, "pki/root.key")));
        Assert.Equal((UnixFileMode)0x1A4, System.IO.File.GetUnixFileMode(Path.Combine(Restored, "ca.pem")));
        Assert.Equal((UnixFileMode)0x1C0, System.IO.File.GetUnixFileMode(Restored));
        foreach (var name in (string[])["running", "lock", "lock.pid", "restore.unfinished"])
            Assert.False(System.IO.File.Exists(Path.Combine(Restored, name)), name);
        Assert.Equal(["it.backup", "restored"], Directory.GetFileSystemEntries(outside).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Damage_at_any_place_and_any_cut_is_refused_and_leaves_nothing()
    {
        await WriteAll(1);
        await Backup.Write(storage.Options, File, TimeProvider.System, None);
        var whole = System.IO.File.ReadAllBytes(File);
        var step = Math.Max(1, whole.Length / 40);
        var options = RestoreOptions();
        var refused = 0;
        for (var place = 0; place < whole.Length; place += step)
        {
            var damaged = (byte[])whole.Clone();
            damaged[place] ^= 0x40;
            System.IO.File.WriteAllBytes(File, damaged);
            refused += await Refuses(options) ? 1 : 0;
            System.IO.File.WriteAllBytes(File, whole[..place]);
            Assert.True(await Refuses(options), $"A file cut at {place} was restored.");
        }
        // Some bits of an archive mean nothing, such as a time of change; where one of those was flipped, the content is whole.
        Assert.True(refused > 20, $"{refused} of 40 damages were noticed.");
        System.IO.File.WriteAllBytes(File, whole);
        await Backup.Restore(File, options, None);
    }

    async Task<bool> Refuses(StorageOptions options)
    {
        try
        {
            await Backup.Restore(File, options, None);
        }
        catch (BackupException refusal)
        {
            Assert.Contains(File, refusal.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(Restored));
            return true;
        }
        await using (var restored = PlatformStorage.Open(options))
            Assert.NotNull(await restored.Store.Get(Pump.Table, One, "left-1", None));
        Directory.Delete(Restored, recursive: true);
        if (postgres)
            PostgresServer.Empty(options.PostgreSql!);
        return false;
    }

    [Fact]
    public async Task A_folder_or_schema_with_something_in_it_is_left_alone()
    {
        await WriteAll(1);
        await Backup.Write(storage.Options, File, TimeProvider.System, None);
        var refusal = await Assert.ThrowsAsync<BackupException>(() => Backup.Restore(File, storage.Options, None));
        Assert.Contains("not empty", refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(await storage.Store.Get(Pump.Table, One, "left-1", None));
        if (!postgres)
            return;
        refusal = await Assert.ThrowsAsync<BackupException>(() => Backup.Restore(File, storage.Options with { Folder = Restored }, None));
        Assert.Contains("not empty", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Restored));
    }

    [Fact]
    public async Task An_interrupted_restore_is_never_opened_as_a_platform()
    {
        Directory.CreateDirectory(Restored);
        System.IO.File.WriteAllText(Path.Combine(Restored, "restore.unfinished"), "");
        Assert.Contains("interrupted", Assert.Throws<BackupException>(() => PlatformStorage.Open(RestoreOptions())).Message, StringComparison.Ordinal);
        await Backup.Write(storage.Options, File, TimeProvider.System, None);
        Assert.Contains("interrupted", (await Assert.ThrowsAsync<BackupException>(() => Backup.Restore(File, RestoreOptions(), None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_backed_up_is_said()
    {
        async Task Refused(string folder, string file, string because) => Assert.Contains(because,
            (await Assert.ThrowsAsync<BackupException>(() => Backup.Write(storage.Options with { Folder = folder }, file, TimeProvider.System, None))).Message, StringComparison.Ordinal);
        await Refused(storage.Folder, Path.Combine(storage.Folder, "x"), "in the data folder");
        await Refused(storage.Folder, Path.Combine(outside, "no", "x"), "does not exist");
        await Refused(Path.Combine(outside, "empty"), File, "not a data folder");
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Contains("no file", (await Assert.ThrowsAsync<BackupException>(() => Backup.Restore(File, RestoreOptions(), None))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data/../../up")]
    [InlineData("/etc/up")]
    [InlineData("data//up")]
    [InlineData("data/..\\up")]
    [InlineData("elsewhere/up")]
    public async Task A_name_that_would_leave_the_folder_is_refused(string name)
    {
        var file = new BackupFile(name, 0, Convert.ToHexStringLower(SHA256.HashData([])), 0x180);
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new BackupManifest { Format = 1, Taken = DateTimeOffset.UnixEpoch, PostgreSqlVersion = postgres ? 1 : null, Files = [file] });
        using (var archive = ZipFile.Open(File, ZipArchiveMode.Create))
        {
            archive.CreateEntry(name);
            using (var target = archive.CreateEntry("manifest.json").Open())
                target.Write(manifest);
            archive.Comment = Convert.ToHexStringLower(SHA256.HashData(manifest));
        }
        var refusal = await Assert.ThrowsAsync<BackupException>(() => Backup.Restore(File, RestoreOptions(), None));
        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Restored));
    }

    StorageOptions RestoreOptions() => new() { Folder = Restored, PostgreSql = postgres ? PostgresServer.NewSchema() : null };

    async Task WriteAll(int i)
    {
        await storage.Open.Blobs.Put(One, $"blob-{i}", new MemoryStream(Encoding.ASCII.GetBytes($"{i}")), None);
        await storage.Open.Journal("j").Append(BitConverter.GetBytes(i), None);
        await storage.Store.Commit(new Batch().Add(Pump.Table, new Pump(One, $"left-{i}", "north")).Add(Pump.Table, new Pump(One, $"right-{i}", "north")), None);
    }

    public async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        Directory.Delete(outside, recursive: true);
        GC.SuppressFinalize(this);
    }
}

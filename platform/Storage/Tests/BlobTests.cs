using System.Text;
using Althing.Storage;

namespace Althing.Tests.Storage;

public sealed class BlobTests : IAsyncDisposable
{
    static readonly AccountId One = new("000000000001");
    static readonly AccountId Two = new("000000000002");
    static readonly CancellationToken None = CancellationToken.None;

    readonly TemporaryStorage storage = new();
    IBlobs Blobs => storage.Open.Blobs;

    [Fact]
    public async Task An_object_comes_back_whole_after_a_restart_and_for_its_account_alone()
    {
        var content = new byte[300_000];
        Random.Shared.NextBytes(content);
        await Blobs.Put(One, "firmware/1.bin", new MemoryStream(content), None);
        await storage.Reopen();
        Assert.Equal(content, await Read(One, "firmware/1.bin"));
        Assert.Null(await Blobs.Get(Two, "firmware/1.bin", None));
        Assert.True(await Blobs.Delete(One, "firmware/1.bin", None));
        Assert.False(await Blobs.Delete(One, "firmware/1.bin", None));
        Assert.Null(await Blobs.Get(One, "firmware/1.bin", None));
    }

    [Fact]
    public async Task A_writing_that_breaks_off_leaves_the_older_object_and_nothing_else()
    {
        await Blobs.Put(One, "a", Text("old"), None);
        await Assert.ThrowsAsync<EndOfStreamException>(async () => await Blobs.Put(One, "a", new BreakingStream(200_000), None));
        Assert.Equal("old", Encoding.UTF8.GetString((await Read(One, "a"))!));
        Assert.Single(Files());
    }

    [Fact]
    public async Task Half_written_objects_of_a_killed_process_are_cleared_away()
    {
        File.WriteAllText(Path.Combine(storage.Folder, "blobs", "incoming", "left.part"), "half");
        await storage.Reopen();
        Assert.Empty(Files());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(35)]
    public async Task Damage_anywhere_is_found_at_reading(int place)
    {
        await Blobs.Put(One, "a", Text("hello"), None);
        var file = Files().Single();
        var bytes = await File.ReadAllBytesAsync(file, None);
        bytes[place] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, None);
        Assert.Contains("'a'", (await Assert.ThrowsAsync<InvalidDataException>(async () => await Blobs.Get(One, "a", None))).Message, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, bytes[..place], None);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await Blobs.Get(One, "a", None));
    }

    [Fact]
    public async Task No_name_leaves_the_accounts_folder_and_every_name_comes_back()
    {
        string[] names = ["../../up", "/etc/passwd", "..", ".", "a/../../b", "con\0trol", "é 漢 😀", "C:\\x", new('n', 900), new('n', 100), "a", "a/b", "A"];
        foreach (var name in names)
            await Blobs.Put(One, name, Text(name), None);
        foreach (var name in names)
            Assert.Equal(name, Encoding.UTF8.GetString((await Read(One, name))!));
        var listed = new List<string>();
        await foreach (var (name, bytes) in Blobs.List(One, "", None))
        {
            Assert.Equal(Encoding.UTF8.GetByteCount(name), bytes);
            listed.Add(name);
        }
        Assert.Equal(names.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        Assert.Equal(names.Length, Files().Length);
        Assert.All(Files(), file => Assert.StartsWith(Path.Combine(storage.Folder, "blobs", One.Value) + "/", file, StringComparison.Ordinal));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Blobs.Put(One, "", Text(""), None));
    }

    [Fact]
    public async Task A_list_has_the_names_that_begin_with_the_prefix()
    {
        foreach (var name in (string[])["jobs/1", "jobs/2", "job", "other"])
            await Blobs.Put(One, name, Text(name), None);
        List<string> listed = [];
        await foreach (var (name, _) in Blobs.List(One, "jobs/", None))
            listed.Add(name);
        Assert.Equal(["jobs/1", "jobs/2"], listed);
    }

    string[] Files() => Directory.GetFiles(Path.Combine(storage.Folder, "blobs"), "*", SearchOption.AllDirectories);

    async Task<byte[]?> Read(AccountId account, string name)
    {
        await using var stream = await Blobs.Get(account, name, None);
        if (stream is null)
            return null;
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, None);
        return copy.ToArray();
    }

    static MemoryStream Text(string text) => new(Encoding.UTF8.GetBytes(text));

    public ValueTask DisposeAsync() => storage.DisposeAsync();

    /// <summary>Gives some bytes, then breaks off as a lost connection does.</summary>
    sealed class BreakingStream(int bytes) : MemoryStream(new byte[bytes])
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is var read and > 0 ? read : throw new EndOfStreamException();
    }
}

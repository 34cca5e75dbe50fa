using System.Text;
using Althing.Identity;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Identity;

/// <summary>The master key, private files, the console's password and the credentials file.</summary>
public sealed class SecretsTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("althing-test-");

    string PathOf(string name) => Path.Combine(folder.FullName, name);

    static void OnlyItsOwnerReads(string path) => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));

    [Fact]
    public void The_master_key_is_made_once_and_only_its_owner_reads_it()
    {
        var sealed_ = MasterKey.Open(folder.FullName).Seal("purpose", "secret"u8);
        OnlyItsOwnerReads(PathOf("master.key"));
        Assert.Equal("secret"u8.ToArray(), MasterKey.Open(folder.FullName).Open("purpose", sealed_));
        Assert.Null(MasterKey.Open(folder.FullName).Open("another", sealed_));
        Assert.Equal(MasterKey.Open(folder.FullName).Derive("a"), MasterKey.Open(folder.FullName).Derive("a"));
        Assert.NotEqual(MasterKey.Open(folder.FullName).Derive("a"), MasterKey.Open(folder.FullName).Derive("b"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20")]
    public void A_damaged_master_key_is_named_and_never_replaced(string content)
    {
        File.WriteAllText(PathOf("master.key"), content);
        Assert.Contains("master.key' is damaged", Assert.Throws<InvalidDataException>(() => MasterKey.Open(folder.FullName)).Message);
        Assert.Equal(content, File.ReadAllText(PathOf("master.key")));
    }

    [Fact]
    public void What_was_sealed_opens_and_what_was_changed_does_not()
    {
        var key = MasterKey.Open(folder.FullName);
        Gen.Select(Gen.Byte.Array[0, 100], Gen.Int[0, 1000], Gen.Byte[1, 255]).Sample((plain, at, change) =>
        {
            var box = key.Seal("p", plain);
            Assert.Equal(plain, key.Open("p", box));
            box[at % box.Length] ^= change;
            Assert.Null(key.Open("p", box));
            Assert.Null(key.Open("p", box.AsSpan(0, at % box.Length)));
        }, iter: 500);
    }

    [Fact]
    public void A_private_file_replaces_a_readable_one_as_a_whole()
    {
        File.WriteAllText(PathOf("x"), "long old content");
        File.SetUnixFileMode(PathOf("x"), (UnixFileMode)0b110_100_100);
        PrivateFile.Write(PathOf("x"), "new");
        Assert.Equal("new", File.ReadAllText(PathOf("x")));
        OnlyItsOwnerReads(PathOf("x"));
        Assert.Equal(["x"], folder.EnumerateFiles().Select(f => f.Name));
    }

    [Fact]
    public void The_console_password_opens_and_ten_wrong_ones_close_for_five_minutes()
    {
        ConsolePassword.Create(folder.FullName);
        OnlyItsOwnerReads(PathOf(ConsolePassword.FileName));
        OnlyItsOwnerReads(PathOf(ConsolePassword.HashFileName));
        var word = File.ReadAllText(PathOf(ConsolePassword.FileName)).Trim();
        Assert.Matches("^[a-zA-Z2-9]{20}$", word);
        Assert.DoesNotContain(word, File.ReadAllText(PathOf(ConsolePassword.HashFileName)));
        // A cheaper hash of the same form, so that ten guesses take no seconds.
        PrivateFile.Write(PathOf(ConsolePassword.HashFileName), PasswordHash.Make(word, 10) + "\n");

        var time = new FakeTimeProvider();
        var password = new ConsolePassword(folder.FullName, time);
        Assert.True(password.Check(word));
        for (var i = 0; i < 10; i++)
            Assert.False(password.Check(word + "x"));
        Assert.False(password.Check(word));
        time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        Assert.True(password.Check(word));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10:00:00")]
    [InlineData("-1:00000000000000000000000000000000:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("10:0000000000000000000000000000000g:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("10:00000000000000000000000000000000:0000000000000000000000000000000000000000000000000000000000000000")]
    public void A_damaged_hash_opens_to_nobody(string stored) => Assert.False(PasswordHash.Check("x", stored));

    [Fact]
    public void Credentials_are_kept_by_profile_as_the_aws_tools_read_them()
    {
        Assert.Null(CredentialsFile.Read(folder.FullName));
        CredentialsFile.Put(folder.FullName, "default", "AKIA1", new("s/1+="));
        Assert.Equal("[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s/1+=\n", File.ReadAllText(PathOf("credentials")));
        OnlyItsOwnerReads(PathOf("credentials"));
        CredentialsFile.Put(folder.FullName, "123456789012", "AKIA2", new("s2"));
        CredentialsFile.Put(folder.FullName, "default", "AKIA3", new("s3"));
        Assert.Equal("[default]\naws_access_key_id = AKIA3\naws_secret_access_key = s3\n[123456789012]\naws_access_key_id = AKIA2\naws_secret_access_key = s2\n", File.ReadAllText(PathOf("credentials")));
        Assert.Equal(("AKIA3", new Secret("s3")), CredentialsFile.Read(folder.FullName));
        Assert.Equal(("AKIA2", new Secret("s2")), CredentialsFile.Read(folder.FullName, "123456789012"));
        Assert.Null(CredentialsFile.Read(folder.FullName, "other"));
        File.WriteAllText(PathOf("credentials"), "# mine\n[default]\nregion=x\naws_access_key_id=A\n\n[ other ]\naws_secret_access_key=B\n", Encoding.UTF8);
        Assert.Null(CredentialsFile.Read(folder.FullName));
        Assert.Null(CredentialsFile.Read(folder.FullName, "other"));
    }

    [Fact]
    public void A_secret_does_not_print() =>
        Assert.Equal("***", $"{new Secret("hush")}");

    public void Dispose() => folder.Delete(recursive: true);
}

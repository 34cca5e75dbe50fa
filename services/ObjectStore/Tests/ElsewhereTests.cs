using System.Net;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.Tests.ObjectStore;

/// <summary>A platform that keeps its objects at another one: whose is what, and what happens when the other one does not do its part.</summary>
public sealed class ElsewhereTests
{
    [Fact]
    public async Task An_account_reaches_the_buckets_that_it_made_and_those_it_was_given_and_no_other()
    {
        Tool.Need("aws");
        await using var houses = await TwoHouses.Up();
        var (front, store) = (houses.Front, houses.Store);
        await store.Run("aws", "s3", "mb", "s3://was-there");
        await File.WriteAllTextAsync(Path.Combine(store.Folder, "o"), "what was there");
        await store.Run("aws", "s3", "cp", "o", "s3://was-there/o");
        await front.Run("aws", "s3", "mb", "s3://made-here");
        await AlthingProgram.Run("account", "create", "111122223333", "--data", front.Data);

        // The platform's keys own it over there, and that is nobody's claim here.
        Assert.Contains("NoSuchBucket", (await front.TryRun("aws", "s3", "ls", "s3://was-there")).Error, StringComparison.Ordinal);
        Assert.Contains("BucketAlreadyExists", (await front.TryRun("aws", "s3", "mb", "s3://was-there")).Error, StringComparison.Ordinal);
        Assert.Equal("made-here", (await front.Run("aws", "s3", "ls")).Output.Trim().Split(' ')[^1]);
        Assert.Contains("NoSuchBucket", (await front.TryRun("aws", "s3api", "copy-object", "--bucket", "made-here", "--key", "k", "--copy-source", "was-there/o")).Error, StringComparison.Ordinal);
        Assert.Contains("AccessDenied", (await Other("ls", "s3://made-here")).Error, StringComparison.Ordinal);
        Assert.Contains("BucketAlreadyExists", (await Other("mb", "s3://made-here")).Error, StringComparison.Ordinal);

        await front.Stop();
        await front.StartWith([.. TwoHouses.At(store), "--adopt-bucket", "was-there=111122223333"]);
        Assert.Equal(0, (await Other("cp", "s3://was-there/o", "got")).ExitCode);
        Assert.Equal("what was there", await File.ReadAllTextAsync(Path.Combine(front.Folder, "got")));
        Assert.Contains("AccessDenied", (await front.TryRun("aws", "s3", "ls", "s3://was-there")).Error, StringComparison.Ordinal);
        // Owners in listings are the platform's accounts, not the other service's.
        var listed = await front.Aws("--profile", "111122223333", "s3api", "list-objects", "--bucket", "was-there");
        Assert.Equal("111122223333", (string)listed["Contents"]![0]!["Owner"]!["DisplayName"]!);
        await front.Stop();
        var taken = await AlthingProgram.Run(["up", "--data", front.Data, .. TwoHouses.At(store), "--adopt-bucket", "made-here=111122223333"]);
        Assert.Equal(1, taken.ExitCode);
        Assert.Contains("belongs to account 000000000000", taken.Output, StringComparison.Ordinal);

        Task<Ran> Other(params string[] command) => front.TryRun("aws", ["--profile", "111122223333", "s3", .. command]);
    }

    [Fact]
    public async Task Buckets_stay_where_they_were_made()
    {
        Tool.Need("aws");
        await using var store = await House.Up();
        await using var front = await House.Up();
        await File.WriteAllTextAsync(Path.Combine(front.Folder, "o"), "kept here");
        await front.Run("aws", "s3", "mb", "s3://here");
        await front.Run("aws", "s3", "cp", "o", "s3://here/o");
        await front.Stop();

        await front.StartWith(TwoHouses.At(store));
        await front.Run("aws", "s3", "mb", "s3://there");
        await front.Run("aws", "s3", "cp", "o", "s3://there/o");
        Assert.Equal(["here", "there"], (await front.Run("aws", "s3", "ls")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[^1]));
        Assert.Equal("there", (await store.Run("aws", "s3", "ls")).Output.Trim().Split(' ')[^1]);
        await front.Run("aws", "s3", "cp", "s3://here/o", "got");
        Assert.Equal("kept here", await File.ReadAllTextAsync(Path.Combine(front.Folder, "got")));
        Assert.Contains("nothing is copied between them", (await front.TryRun("aws", "s3", "cp", "s3://here/o", "s3://there/p")).Error, StringComparison.Ordinal);
        await front.Stop();

        await front.StartWith();
        await front.Run("aws", "s3", "cp", "s3://here/o", "got");
        var refused = await front.TryRun("aws", "s3api", "get-object", "--bucket", "there", "--key", "o", "got");
        Assert.Contains("--objects", refused.Error, StringComparison.Ordinal);
        Assert.Contains("ServiceUnavailable", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_dies_in_the_middle_costs_an_answer_and_nothing_that_was_acknowledged()
    {
        Tool.Need("aws", "python3");
        await using var houses = await TwoHouses.Up();
        var (front, store) = (houses.Front, houses.Store);
        await front.Run("aws", "s3", "mb", "s3://a-bucket");
        await File.WriteAllBytesAsync(Path.Combine(front.Folder, "old"), new byte[30_000_000]);
        await front.Run("aws", "s3api", "put-object", "--bucket", "a-bucket", "--key", "k", "--body", "old");
        var put = await Presigned("put_object");
        var get = await Presigned("get_object");
        using var http = new HttpClient();
        using var body = new PausingContent(50_000_000);
        var sending = http.PutAsync(put, body);
        await body.Paused.WaitAsync(TimeSpan.FromSeconds(30));
        using var reading = await http.GetAsync(get, HttpCompletionOption.ResponseHeadersRead);
        await store.Kill();
        body.GoOn();
        using (var answer = await sending)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Contains("<Code>ServiceUnavailable</Code>", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        // Part of an object never looks like the whole.
        await Assert.ThrowsAnyAsync<Exception>(reading.Content.ReadAsByteArrayAsync);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(get)).StatusCode);
        Assert.Contains("could not be reached", front.Output, StringComparison.Ordinal);

        await store.Start();
        Assert.Equal(30_000_000, (await http.GetByteArrayAsync(get)).Length);
        Assert.Contains("does its part again", front.Output, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.Combine(store.Data, "blobs"), "*", SearchOption.AllDirectories));

        async Task<Uri> Presigned(string operation) => new((await front.Run("python3", "-c",
            $"import boto3; print(boto3.client('s3').generate_presigned_url('{operation}', Params={{'Bucket': 'a-bucket', 'Key': 'k'}}))")).Output.Trim());
    }

    [Fact]
    public async Task Keys_that_the_service_does_not_take_are_the_operators_business_and_are_not_written_down()
    {
        Tool.Need("aws");
        await using var store = await House.Up();
        var keys = Path.Combine(store.Folder, "keys");
        await File.WriteAllTextAsync(keys, "[default]\naws_access_key_id = AKIAIOSFODNN7NOBODY\naws_secret_access_key = a-secret-of-some-length\nregion = eu-north-1\n");
        await using var front = await House.Up("--objects", store.Endpoint.ToString(), "--objects-credentials", keys);
        var refused = await front.TryRun("aws", "s3api", "create-bucket", "--bucket", "a-bucket");
        Assert.Contains("(InternalError)", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("AKIAIOSFODNN7NOBODY", refused.Error, StringComparison.Ordinal);
        Assert.Contains("does not take the platform's keys", front.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a-secret-of-some-length", front.Output, StringComparison.Ordinal);
        Assert.Empty((await front.Run("aws", "s3", "ls")).Output);
        // And at the command line.
        var missing = await AlthingProgram.Run("up", "--data", store.Data, "--objects", "http://localhost:9");
        Assert.Contains("aws_access_key_id", missing.Output, StringComparison.Ordinal);
        var inUrl = await AlthingProgram.Run("up", "--data", store.Data, "--objects", "http://key:hidden-here@localhost:9");
        Assert.Equal(2, inUrl.ExitCode);
        Assert.DoesNotContain("hidden-here", inUrl.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_platform_does_not_ask_itself_for_ever()
    {
        Tool.Need("aws");
        await using var store = await House.Up();
        var (port, itself) = (store.HttpPort, TwoHouses.At(store));
        await store.Stop();
        await store.StartWith(["--http", $"{port}", .. itself]);
        Assert.Contains("(InvalidRequest)", (await store.TryRun("aws", "s3api", "put-object", "--bucket", "a-bucket", "--key", "k")).Error + (await store.TryRun("aws", "s3", "mb", "s3://b-bucket")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_larger_than_five_gigabytes_is_copied_in_parts_alone()
    {
        Tool.Need("aws");
        await using var house = await House.Up();
        await house.Run("aws", "s3", "mb", "s3://a-bucket");
        await File.WriteAllTextAsync(Path.Combine(house.Folder, "o"), "o");
        await house.Run("aws", "s3", "cp", "o", "s3://a-bucket/o");
        await house.Stop();
        // A row that says so is as good as the bytes: the length is looked at first.
        await using (var storage = PlatformStorage.Open(new() { Folder = house.Data }))
        {
            var row = (await storage.Store.Scan(StoredObject.Latest, new("000000000000"), Scan.All, default)).Single();
            await storage.Store.Commit(new Batch().Replace(StoredObject.Latest, row, row.Value with { Content = row.Value.Content! with { Bytes = (5L << 30) + 1 } }), default);
        }
        await house.Start();
        var whole = await house.TryRun("aws", "s3api", "copy-object", "--bucket", "a-bucket", "--key", "p", "--copy-source", "a-bucket/o");
        Assert.Contains("(InvalidRequest)", whole.Error, StringComparison.Ordinal);
        Assert.Contains("5368709120", whole.Error, StringComparison.Ordinal);
        var upload = (string)(await house.Aws("s3api", "create-multipart-upload", "--bucket", "a-bucket", "--key", "p"))["UploadId"]!;
        var part = await house.TryRun("aws", "s3api", "upload-part-copy", "--bucket", "a-bucket", "--key", "p", "--copy-source", "a-bucket/o", "--part-number", "1", "--upload-id", upload);
        Assert.Contains("(InvalidRequest)", part.Error, StringComparison.Ordinal);
    }

    /// <summary>Sends most of what it announces, and the rest when it is told to: so little that it is taken even by who answered already.</summary>
    sealed class PausingContent(long bytes) : HttpContent
    {
        readonly TaskCompletionSource paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Paused => paused.Task;

        public void GoOn() => goOn.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var chunk = new byte[bytes / 100];
            for (var part = 0; part < 100; part++)
            {
                if (part == 98)
                {
                    await stream.FlushAsync();
                    paused.SetResult();
                    await goOn.Task;
                }
                await stream.WriteAsync(chunk);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes;
            return true;
        }
    }
}

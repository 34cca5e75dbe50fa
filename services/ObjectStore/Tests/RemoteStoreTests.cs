using System.Net;
using System.Net.Sockets;
using System.Text;
using Althing.Api;
using Althing.ObjectStore;
using Althing.ObjectStore.Elsewhere;
using Althing.ObjectStore.Listing;
using Althing.ObjectStore.Objects;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.ObjectStore;

/// <summary>Another service as it may be on a bad day: what it answers is written down here, byte by byte.</summary>
public sealed class RemoteStoreTests
{
    const string Empty = "Content-Length: 0\r\n\r\n";

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: *\r\n\r\n<html>welcome!</html>", "InternalError", 1)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: *\r\n\r\nnot <xml>", "InternalError", 1)]
    [InlineData("HTTP/1.1 200 OK\r\n" + Empty, "InternalError", 1)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: *\r\n\r\n<ListBucketResult><MaxKeys>many</MaxKeys><KeyCount>0</KeyCount></ListBucketResult>      ", "InternalError", 1)]
    [InlineData("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere.example/\r\n" + Empty, "InternalError", 1)]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: *\r\n\r\nwhat", "InvalidRequest", 1)]
    [InlineData("HTTP/1.1 418 Teapot\r\n" + Empty, "InternalError", 1)]
    [InlineData("HTTP/1.1 500 Oh\r\n" + Empty, "ServiceUnavailable", 3)]
    [InlineData("HTTP/1.1 503 Busy\r\nContent-Length: *\r\n\r\n<Error><Code>SlowDown</Code><Message>slow</Message></Error>", "SlowDown", 3)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<ListBucketResult>", "ServiceUnavailable", 3)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "ServiceUnavailable", 3)]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: *\r\n\r\n<Error><Code>ExpiredToken</Code><Message>of yours</Message></Error>", "InternalError", 1)]
    [InlineData("HTTP/1.1 409 Conflict\r\nContent-Length: *\r\n\r\n<Error><Code>BucketNotEmpty</Code><Message>it is not</Message><BucketName>b</BucketName></Error>", "BucketNotEmpty", 1)]
    public async Task What_the_service_answers_becomes_an_error_of_S3(string answer, string code, int attempts)
    {
        using var service = new Answering(_ => answer.Replace("*", $"{answer.Length - answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4}", StringComparison.Ordinal));
        using var store = service.Store();
        var refusal = await Assert.ThrowsAsync<ServiceException>(async () => await store.Call(Operation("ListObjectsV2"), new ListObjectsV2Request { Bucket = "b" }, default));
        Assert.Equal((code, attempts), (refusal.Code, service.Asked));
        Assert.DoesNotContain("elsewhere.example", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_for_a_moment_is_asked_again()
    {
        const string list = "<ListBucketResult><Name>b</Name><Prefix/><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><New>x</New>"
            + "<Contents><Key>k</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>3</Size></Contents></ListBucketResult>";
        using var service = new Answering(n => n == 1 ? "HTTP/1.1 502 Bad Gateway\r\n" + Empty : $"HTTP/1.1 200 OK\r\nContent-Length: {list.Length}\r\n\r\n{list}");
        using var store = service.Store();
        var found = (ListObjectsV2Result)await store.Call(Operation("ListObjectsV2"), new ListObjectsV2Request { Bucket = "b" }, default);
        Assert.Equal(("k", 3L, "\"e\""), (found.Contents.Single().Key, found.Contents[0].Size, found.Contents[0].ETag));
    }

    [Fact]
    public async Task A_service_that_is_silent_is_waited_for_no_longer_than_a_minute()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var service = new Answering(_ => null);
        using var store = service.Store(time);
        var asking = store.Call(Operation("ListObjectsV2"), new ListObjectsV2Request { Bucket = "b" }, default).AsTask();
        await service.WasAsked.WaitAsync(TimeSpan.FromSeconds(30));
        time.Advance(RemoteStore.SilenceMax - TimeSpan.FromSeconds(1));
        Assert.False(asking.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("ServiceUnavailable", (await Assert.ThrowsAsync<ServiceException>(() => asking.WaitAsync(TimeSpan.FromSeconds(30)))).Code);
        Assert.Equal(1, service.Asked);
    }

    [Fact]
    public async Task Silence_in_the_middle_of_an_object_breaks_it_off()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var service = new Answering(_ => "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 1000\r\n\r\nbegins", keepOpen: true);
        using var store = service.Store(time);
        var read = (ReadResponse)await store.Call(Operation("GetObject"), new ReadRequest { Bucket = "b", Key = "k" }, default);
        var buffer = new byte[1000];
        Assert.Equal(6, await read.Content!.ReadAtLeastAsync(buffer, 6));
        // The client may take its time with what it has.
        time.Advance(RemoteStore.SilenceMax * 3);
        var reading = read.Content.ReadAsync(buffer).AsTask();
        time.Advance(RemoteStore.SilenceMax + TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(TimeSpan.FromSeconds(30)));
        await read.Content.DisposeAsync();
    }

    [Fact]
    public async Task Only_what_the_operation_is_about_goes_on_with_the_platforms_rights()
    {
        using var service = new Answering(_ => "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nx-amz-checksum-crc32: AAAAAA==\r\n" + Empty);
        using var store = service.Store();
        Dictionary<string, string> headers = new()
        {
            ["meta-name"] = "value", ["bypass-governance-retention"] = "true", ["acl"] = "public-read", ["security-token"] = "of the client", ["copy-source"] = "other/key",
            ["expected-bucket-owner"] = "000000000000",
        };
        await store.Call(Operation("PutObject"), new PutObjectRequest { Bucket = "b", Key = "a/../b c", Amz = headers, Content = new(new MemoryStream("abc"u8.ToArray()), 3) }, default);
        var sent = service.Requests.Single();
        Assert.StartsWith("PUT /b/a/../b%20c HTTP/1.1\r\n", sent, StringComparison.Ordinal);
        Assert.Contains("x-amz-meta-name: value", sent, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Credential=AKIAIOSFODNN7EXAMPLE/", sent, StringComparison.Ordinal);
        foreach (var kept in new[] { "bypass", "acl", "of the client", "other/key", "expected-bucket-owner" })
            Assert.DoesNotContain(kept, sent, StringComparison.OrdinalIgnoreCase);
    }

    static OperationInfo Operation(string name) =>
        new OperationCatalog([ObjectStoreService.Assembly], new ServiceCollection().BuildServiceProvider()).Find("s3", name)!;

    /// <summary>Accepts connections and answers each with the same text, whatever it is asked.</summary>
    sealed class Answering : IDisposable
    {
        readonly TcpListener listener = new(IPAddress.Loopback, 0);
        readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly List<string> requests = [];

        /// <param name="answer">Given the number of the request; null to keep silent.</param>
        public Answering(Func<int, string?> answer, bool keepOpen = false)
        {
            listener.Start();
            _ = Serve(answer, keepOpen);
        }

        public int Asked => Requests.Count;
        public Task WasAsked => asked.Task;

        public IReadOnlyList<string> Requests
        {
            get
            {
                lock (requests)
                    return [.. requests];
            }
        }

        public RemoteStore Store(TimeProvider? time = null) => new(new()
        {
            Address = new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"),
            Region = "eu-west-1",
            AccessKeyId = "AKIAIOSFODNN7EXAMPLE",
            SecretAccessKey = new("secret"),
        }, time ?? TimeProvider.System, NullLogger<RemoteStore>.Instance);

        async Task Serve(Func<int, string?> answer, bool keepOpen)
        {
            List<Socket> silent = [];
            while (true)
            {
                var socket = await listener.AcceptSocketAsync();
                var buffer = new byte[16 * 1024];
                var text = Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
                int number;
                lock (requests)
                {
                    requests.Add(text);
                    number = requests.Count;
                }
                asked.TrySetResult();
                if (answer(number) is { } said)
                    await socket.SendAsync(Encoding.ASCII.GetBytes(said));
                if (keepOpen || answer(number) is null)
                    silent.Add(socket);
                else
                    socket.Close();
            }
        }

        public void Dispose() => listener.Dispose();
    }
}

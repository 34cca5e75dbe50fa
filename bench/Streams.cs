using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Simulator;

namespace Althing.Bench;

/// <summary>One firmware file to many devices by MQTT-based file delivery, beside the same bytes by plain GET of the object.</summary>
static class Streams
{
    const int BlockBytes = 65_536;

    static int Devices => int.Parse(Environment.GetEnvironmentVariable("ALTHING_BENCH_DEVICES") ?? "100", CultureInfo.InvariantCulture);

    static int Megabytes => int.Parse(Environment.GetEnvironmentVariable("ALTHING_BENCH_FILE_MB") ?? "50", CultureInfo.InvariantCulture);

    public static async Task Run()
    {
        await using var platform = await Platform.Start();
        await platform.MakeUser();
        var content = RandomNumberGenerator.GetBytes(Megabytes * 1_000_000);
        await Prepare(platform, content);
        var (getTime, getCpu) = await Measure(platform, () => Gets(platform, content));
        var (streamTime, streamCpu) = await Measure(platform, () => Fetches(platform, content));
        var all = (double)content.Length * Devices / 1_000_000;
        Say($"{Devices} devices, {Megabytes} MB each, byte for byte");
        Say($"{all / getTime,10:0} MB/s by GET of the object, {getCpu:0.0} CPU s of the server");
        Say($"{all / streamTime,10:0} MB/s by MQTT file delivery in CBOR blocks of {BlockBytes / 1024} KB, {streamCpu:0.0} CPU s: {getTime / streamTime:0.00} of the GETs");
        Say($"{platform.ResidentBytes / 1048576.0,10:0} MB resident afterwards");
    }

    static async Task<(double Seconds, double Cpu)> Measure(Platform platform, Func<Task> work)
    {
        var (cpu, clock) = (platform.Cpu, Stopwatch.StartNew());
        await work();
        return (clock.Elapsed.TotalSeconds, (platform.Cpu - cpu).TotalSeconds);
    }

    static async Task Prepare(Platform platform, byte[] content)
    {
        const string trust = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"iot.amazonaws.com"},"Action":"sts:AssumeRole"}]}""";
        const string reading = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}""";
        await platform.Query("iam", new() { ["Action"] = "CreateRole", ["Version"] = "2010-05-08", ["RoleName"] = "streams", ["AssumeRolePolicyDocument"] = trust });
        await platform.Query("iam", new() { ["Action"] = "PutRolePolicy", ["Version"] = "2010-05-08", ["RoleName"] = "streams", ["PolicyName"] = "read", ["PolicyDocument"] = reading });
        await platform.Send("PUT", "/firmware", [], "s3");
        await platform.Send("PUT", "/firmware/pump.bin", content, "s3");
        await platform.Call("POST", "/streams/pump", new
        {
            roleArn = "arn:aws:iam::000000000000:role/streams", files = new[] { new { fileId = 0, s3Location = new { bucket = "firmware", key = "pump.bin" } } },
        });
    }

    static Task Gets(Platform platform, byte[] content) => Task.WhenAll(Enumerable.Range(0, Devices).Select(async _ =>
    {
        await using var got = await platform.Open("/firmware/pump.bin", "s3");
        var (buffer, offset) = (new byte[BlockBytes], 0);
        for (int read; (read = await got.ReadAsync(buffer)) > 0; offset += read)
            Compare(content, offset, buffer.AsSpan(0, read));
        if (offset != content.Length)
            throw new InvalidOperationException($"A GET brought {offset} bytes.");
    }));

    static Task Fetches(Platform platform, byte[] content) => Task.WhenAll(Enumerable.Range(0, Devices).Select(async i =>
    {
        var download = new StreamDownload($"pump-{i}", "pump", 0, content.Length, BlockBytes, (at, block) => Compare(content, (int)at, block.Span));
        using var socket = await Load.Connect(platform, $"pump-{i}");
        await Load.Subscribe(socket, download.DataTopic, 0);
        var (buffer, held) = (new byte[1 << 18], 0);
        using var request = new PacketBuffer(256);
        while (!download.IsComplete)
        {
            request.Clear();
            PublishPacket.Write(request, MqttVersion.V311, download.RequestTopic, download.NextRequest(), 0, false, false, 0, null);
            await Load.SendAll(socket, request.Written);
            while (!download.IsIdle)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(held));
                held += read > 0 ? read : throw new IOException("The server closed the connection.");
                held = Take(download, buffer, held);
            }
        }
    }));

    static void Compare(byte[] content, int offset, ReadOnlySpan<byte> got)
    {
        if (!content.AsSpan(offset, got.Length).SequenceEqual(got))
            throw new InvalidOperationException($"Something else came at {offset}.");
    }

    static int Take(StreamDownload download, byte[] buffer, int held)
    {
        ReadOnlySpan<byte> bytes = buffer.AsSpan(0, held);
        while (Frame.TryRead(ref bytes, int.MaxValue, out var frame))
        {
            if (frame.Type == PacketType.Publish)
                download.Take(PublishPacket.Read(frame, MqttVersion.V311).Payload.ToArray());
        }
        bytes.CopyTo(buffer);
        return bytes.Length;
    }

    static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}

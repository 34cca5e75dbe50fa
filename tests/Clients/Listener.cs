using System.Diagnostics;

namespace Althing.Tests.Clients;

/// <summary>A running <c>mosquitto_sub</c>, and what it has printed.</summary>
sealed class Listener : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    readonly Process process;
    readonly List<string> lines = [];
    readonly SemaphoreSlim more = new(0);

    Listener(Process process) => this.process = process;

    /// <summary>Subscribes and answers once the broker has granted it.</summary>
    public static async Task<Listener> Start(House house, params string[] arguments)
    {
        var start = new ProcessStartInfo("stdbuf", ["-oL", "mosquitto_sub", "-d", "-v", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = house.Folder };
        var listener = new Listener(Process.Start(start)!);
        listener.process.OutputDataReceived += (_, e) => listener.Add(e.Data);
        listener.process.ErrorDataReceived += (_, e) => listener.Add(e.Data);
        listener.process.BeginOutputReadLine();
        listener.process.BeginErrorReadLine();
        await listener.Hears("received SUBACK");
        return listener;
    }

    void Add(string? line)
    {
        lock (lines)
            lines.Add(line ?? "");
        more.Release();
    }

    /// <summary>Waits for a line with this text.</summary>
    public async Task Hears(string text)
    {
        while (true)
        {
            lock (lines)
            {
                if (lines.Any(l => l.Contains(text, StringComparison.Ordinal)))
                    return;
            }
            if (!await more.WaitAsync(Patience))
                Assert.Fail($"mosquitto_sub did not print '{text}' but:\n{string.Join('\n', lines)}");
        }
    }

    /// <summary>How many lines have this text.</summary>
    public int Count(string text)
    {
        lock (lines)
            return lines.Count(l => l.Contains(text, StringComparison.Ordinal));
    }

    /// <summary>Waits until the client has given up, and answers its exit code.</summary>
    public async Task<int> Ended()
    {
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Althing.Tests.Clients;

/// <summary>
/// A shell in a house's folder, as a reader of the documentation has it: blocks are pasted one after the other, and a listener started in
/// the background is waited for before the next one. Nothing of a block is changed but the ports, which are free ones here.
/// </summary>
sealed partial class Terminal : IAsyncDisposable
{
    /// <summary>Programs that the documents name, standing before the real ones in PATH.</summary>
    const string Programs = "terminal-programs";

    readonly House house;
    readonly Process shell;
    readonly List<string> lines = [];
    readonly SemaphoreSlim more = new(0);
    int blocks;

    public Terminal(House house)
    {
        this.house = house;
        var programs = Directory.CreateDirectory(Path.Combine(house.Folder, Programs));
        // Line by line, and saying when it has subscribed.
        Write(programs, "mosquitto_sub", $"exec stdbuf -oL {Tool.Find("mosquitto_sub")} -d \"$@\"");
        Write(new(house.Folder), "althing", $"exec dotnet '{AlthingProgram.Path}' \"$@\"");
        var start = new ProcessStartInfo("bash", ["--norc", "-e"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = house.Folder };
        start.Environment["PATH"] = programs.FullName + ":" + Environment.GetEnvironmentVariable("PATH");
        start.Environment["AWS_PAGER"] = "";
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment["AWS_CONFIG_FILE"] = Path.Combine(house.Folder, "no-config");
        shell = Process.Start(start)!;
        shell.OutputDataReceived += (_, e) => Add(e.Data);
        shell.ErrorDataReceived += (_, e) => Add(e.Data);
        shell.BeginOutputReadLine();
        shell.BeginErrorReadLine();
    }

    public string Output
    {
        get
        {
            lock (lines)
                return string.Join('\n', lines);
        }
    }

    /// <summary>Runs a block to its end.</summary>
    public async Task Paste(string block)
    {
        var end = $"-- end of block {++blocks}";
        var subscribed = Count("received SUBACK");
        await shell.StandardInput.WriteAsync($"{WithPorts(block)}\necho '{end}'\n");
        await shell.StandardInput.FlushAsync();
        await Until(() => Count(end) > 0, $"the end of:\n{block}");
        if (block.Contains("mosquitto_sub", StringComparison.Ordinal) && block.TrimEnd().EndsWith('&'))
            await Until(() => Count("received SUBACK") > subscribed, "the listener's subscription");
    }

    /// <summary>Waits until this was printed.</summary>
    public Task Prints(string line) => Until(() => Count(line) > 0, $"'{line}'");

    string WithPorts(string block) => DefaultPort().Replace(block, port => (port.Value switch
    {
        "8080" => house.HttpPort,
        "8443" => house.HttpsPort,
        _ => house.MqttsPort,
    }).ToString(CultureInfo.InvariantCulture));

    static void Write(DirectoryInfo folder, string name, string command)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, $"#!/bin/sh\n{command}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    void Add(string? line)
    {
        lock (lines)
            lines.Add(line ?? "");
        more.Release();
    }

    int Count(string text)
    {
        lock (lines)
            return lines.Count(l => l.Contains(text, StringComparison.Ordinal));
    }

    async Task Until(Func<bool> holds, string what)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (!holds())
        {
            if (shell.HasExited && !holds())
                Assert.Fail($"The shell ended with {shell.ExitCode} before {what}\nIt printed:\n{Output}");
            try
            {
                // The shell's end brings lines of its own (null), so nothing is missed.
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"In vain waited for {what}\nThe shell printed:\n{Output}\nThe platform said:\n{house.Output}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!shell.HasExited)
            shell.Kill(entireProcessTree: true);
        await shell.WaitForExitAsync();
        shell.Dispose();
    }

    [GeneratedRegex(@"\b(8080|8443|8883)\b")]
    private static partial Regex DefaultPort();
}

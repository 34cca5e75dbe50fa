using System.Globalization;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Host;

/// <summary>What <c>up</c> says when it is ready: where to go next.</summary>
static class Greeting
{
    public static void Print(HostOptions options, BoundPorts ports, AccountId account, TimeSpan took)
    {
        var host = options.HostName ?? "localhost";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Althing is ready after {took.TotalSeconds:0.0} s. Account {account}, data in {options.Folder}"));
        Console.WriteLine();
        Console.WriteLine($"  Console and APIs   http://localhost:{ports.Http}   (this machine only)");
        Console.WriteLine($"  APIs and HTTPS     https://{host}:{ports.Https}");
        Console.WriteLine($"  MQTT over TLS      {host}:{ports.Mqtts}   (devices with a certificate)");
        if (ports.Mqtt is { } plain)
            Console.WriteLine($"  MQTT, plain        localhost:{plain}   {(options.Anonymous ? "ANYBODY ON THIS MACHINE MAY CONNECT, PUBLISH AND SUBSCRIBE" : "(users of 'althing mqtt-user')")}");
        if (options.Objects is { } objects)
            Console.WriteLine($"  New buckets        at {objects.Address}   (region {objects.Region})");
        Console.WriteLine();
        Console.WriteLine($"  Administrator key  {Path.Combine(options.Folder, "credentials")}   (export AWS_SHARED_CREDENTIALS_FILE=…)");
        Console.WriteLine($"  CA certificate     {Path.Combine(options.Folder, "ca.pem")}");
        PrintPassword(options.Folder);
        Console.WriteLine();
        Console.WriteLine("Ctrl-C stops it.");
        Console.Out.Flush();
    }

    /// <summary>The password is shown once; later only where it lies.</summary>
    static void PrintPassword(string folder)
    {
        var (path, shown) = (Path.Combine(folder, ConsolePassword.FileName), Path.Combine(folder, ".console-password-shown"));
        if (!File.Exists(path))
            return;
        if (File.Exists(shown))
        {
            Console.WriteLine($"  Console password   in {path}");
            return;
        }
        Console.WriteLine($"  Console password   {File.ReadAllText(path).Trim()}   (shown this once; it lies in {path})");
        File.WriteAllText(shown, "");
    }
}

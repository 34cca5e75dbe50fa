using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Althing.Tests;

/// <summary>
/// One private PostgreSQL for all tests of the run, started at the first need on a free loopback port and stopped when the run ends. Every
/// <see cref="NewSchema"/> is a world of its own. Needs the server's programs (Debian: <c>apt-get install postgresql</c>); without them
/// the tests that need it are skipped and say so.
/// </summary>
public static class PostgresServer
{
    static readonly Lazy<string?> Running = new(Start);
    static int schemas;

    /// <summary>A connection string to an empty schema.</summary>
    public static string NewSchema()
    {
        Assert.SkipWhen(Running.Value is null, "PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/initdb): install the package 'postgresql' to run this test.");
        var schema = $"test_{Interlocked.Increment(ref schemas)}";
        return new NpgsqlConnectionStringBuilder(Running.Value) { SearchPath = schema, MaxPoolSize = 20 }.ToString();
    }

    /// <summary>Removes everything from the schema.</summary>
    public static void Empty(string connectionString)
    {
        using var source = NpgsqlDataSource.Create(connectionString);
        using var command = source.CreateCommand($"DROP SCHEMA {new NpgsqlConnectionStringBuilder(connectionString).SearchPath} CASCADE");
        command.ExecuteNonQuery();
    }

    static string? Programs() => !Directory.Exists("/usr/lib/postgresql") ? null
        : Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).Where(d => File.Exists(Path.Combine(d, "initdb"))).Order().LastOrDefault();

    static string? Start()
    {
        if (Programs() is not { } programs)
            return null;
        var folder = Directory.CreateTempSubdirectory("althing-postgres-").FullName;
        var data = Path.Combine(folder, "data");
        if (Environment.UserName == "root")
            Run("chown", "-R", "postgres", folder);
        RunAsServer(Path.Combine(programs, "initdb"), "-D", data, "-U", "althing", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        var port = FreePort();
        // Durability is the server's own affair and slow to test; what is tested here is what we send it.
        var settings = $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=300";
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Stop(programs, folder);
        RunAsServer(Path.Combine(programs, "pg_ctl"), "-D", data, "-w", "-l", Path.Combine(folder, "log"), "-o", settings, "start");
        return $"Host=127.0.0.1;Port={port};Username=althing;Database=postgres";
    }

    static void Stop(string programs, string folder)
    {
        RunAsServer(Path.Combine(programs, "pg_ctl"), "-D", Path.Combine(folder, "data"), "-m", "immediate", "stop");
        Directory.Delete(folder, recursive: true);
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    static void RunAsServer(string program, params string[] arguments)
    {
        if (Environment.UserName == "root")
            Run("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, .. arguments]);
        else
            Run(program, arguments);
    }

    static void Run(string program, params string[] arguments)
    {
        // The output goes nowhere: the server inherits it and would keep a pipe open for ever.
        var start = new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1 </dev/null", "sh", program, .. arguments]) { WorkingDirectory = "/" };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}.");
    }
}

using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Althing.Host;

/// <summary>
/// The log for people: one line an entry, whatever is in it. What strangers chose, such as a client id, can neither begin a line of its own
/// nor command the terminal.
/// </summary>
sealed class LogLine(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():HH:mm:ss} {Word(entry.LogLevel)} {entry.Category}: {entry.Formatter(entry.State, entry.Exception)}");
        if (entry.Exception is { } exception)
            text += " " + exception;
        textWriter.WriteLine(OneLine(text));
    }

    internal static string OneLine(string text) => string.Create(text.Length, text, static (line, source) =>
    {
        for (var i = 0; i < line.Length; i++)
            line[i] = !char.IsControl(source[i]) && source[i] is not ('\u2028' or '\u2029') ? source[i] : char.IsWhiteSpace(source[i]) ? ' ' : '\uFFFD';
    });

    static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}

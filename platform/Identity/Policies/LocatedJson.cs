using System.Text;
using System.Text.Json;

namespace Althing.Identity;

/// <summary>A JSON value that knows where in its text it stands.</summary>
sealed class LocatedJson
{
    /// <summary>True for both truth values.</summary>
    public required JsonValueKind Kind { get; init; }

    /// <summary>Where the value begins, in bytes.</summary>
    public required int At { get; init; }

    /// <summary>A string's characters, or a number or truth value as it is written.</summary>
    public string Text { get; init; } = "";
    public IReadOnlyList<LocatedMember> Members { get; init; } = [];
    public IReadOnlyList<LocatedJson> Items { get; init; } = [];

    /// <summary>Reads a whole text.</summary>
    /// <exception cref="LocatedJsonException">It is not JSON, nested too deep, or has a member twice.</exception>
    public static LocatedJson Parse(ReadOnlySpan<byte> utf8, int depthMax)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = depthMax });
        try
        {
            reader.Read();
            var root = Read(ref reader);
            reader.Read();
            return root;
        }
        catch (JsonException failure)
        {
            var cut = failure.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            throw new LocatedJsonException(cut > 0 ? failure.Message[..cut] : failure.Message, OffsetOf(utf8, failure));
        }
    }

    static LocatedJson Read(ref Utf8JsonReader reader)
    {
        var at = (int)reader.TokenStartIndex;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return new() { Kind = JsonValueKind.Object, At = at, Members = ReadMembers(ref reader) };
            case JsonTokenType.StartArray:
                List<LocatedJson> items = [];
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(Read(ref reader));
                return new() { Kind = JsonValueKind.Array, At = at, Items = items };
            case JsonTokenType.String:
                return new() { Kind = JsonValueKind.String, At = at, Text = Characters(ref reader) };
            case JsonTokenType.Number:
                return new() { Kind = JsonValueKind.Number, At = at, Text = Encoding.UTF8.GetString(reader.ValueSpan) };
            case JsonTokenType.True or JsonTokenType.False:
                return new() { Kind = JsonValueKind.True, At = at, Text = Encoding.UTF8.GetString(reader.ValueSpan) };
            default:
                return new() { Kind = JsonValueKind.Null, At = at };
        }
    }

    static List<LocatedMember> ReadMembers(ref Utf8JsonReader reader)
    {
        List<LocatedMember> members = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var (name, at) = (Characters(ref reader), (int)reader.TokenStartIndex);
            // Readers that take the first and readers that take the last would understand two different policies.
            if (!names.Add(name))
                throw new LocatedJsonException($"The member '{name}' is there twice.", at);
            reader.Read();
            members.Add(new(name, at, Read(ref reader)));
        }
        return members;
    }

    static string Characters(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new LocatedJsonException("A string holds half a character.", (int)reader.TokenStartIndex);
        }
    }

    static int OffsetOf(ReadOnlySpan<byte> utf8, JsonException failure)
    {
        var at = 0;
        for (var line = failure.LineNumber ?? 0; line > 0; line--)
            at += utf8[at..].IndexOf((byte)'\n') + 1;
        return (int)Math.Min(utf8.Length, at + (failure.BytePositionInLine ?? 0));
    }
}

readonly record struct LocatedMember(string Name, int At, LocatedJson Value);

/// <param name="at">Where, in bytes.</param>
sealed class LocatedJsonException(string message, int at) : Exception(message)
{
    public int At { get; } = at;
}

/// <summary>Finds line and column of a place in a text.</summary>
/// <param name="utf8">The text.</param>
sealed class TextPlaces(byte[] utf8)
{
    /// <summary>Line and column from 1; columns count UTF-16 units, as editors do.</summary>
    public (int Line, int Column) Of(int at)
    {
        var before = utf8.AsSpan(0, Math.Clamp(at, 0, utf8.Length));
        return (before.Count((byte)'\n') + 1, Encoding.UTF8.GetCharCount(before[(before.LastIndexOf((byte)'\n') + 1)..]) + 1);
    }
}

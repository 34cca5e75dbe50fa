using System.Text.Json.Nodes;
using Althing.Design;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using MudBlazor;

namespace Althing.ObjectStore.Console;

/// <summary>The object store's pages in the console.</summary>
static class ObjectConsole
{
    public static ConsoleModule Module { get; } = new("Objects", typeof(ObjectConsole).Assembly,
    [
        new("Buckets", "/console/buckets", Icons.Material.Outlined.Inventory2),
    ])
    {
        Search = Find,
        Map = routes => routes.MapMethods(ConsoleTickets.DoorPath + "/s3", ["GET", "PUT"], BrowserDoor.Handle),
    };

    static async Task<IReadOnlyList<SearchHit>> Find(IServiceProvider services, ConsoleSession session, string text)
    {
        var answer = await session.Call("s3", "ListBuckets");
        return [.. ((JsonArray)answer["Buckets"]!).Select(b => (string)b!["Name"]!).Where(n => n.Contains(text, StringComparison.OrdinalIgnoreCase))
            .Select(n => new SearchHit("bucket", n, ObjectPaths.Bucket(n), Icons.Material.Outlined.Inventory2))];
    }
}

/// <summary>Where buckets and objects have their pages.</summary>
static class ObjectPaths
{
    public static string Bucket(string bucket, string? prefix = null) =>
        $"/console/buckets/{Uri.EscapeDataString(bucket)}" + (string.IsNullOrEmpty(prefix) ? "" : $"?prefix={Uri.EscapeDataString(prefix)}");

    public static string Object(string bucket, string key) => $"/console/buckets/{Uri.EscapeDataString(bucket)}/object?key={Uri.EscapeDataString(key)}";

    /// <summary>What stands behind the last slash that is not the key's end.</summary>
    public static string Name(string key) => key[(key.TrimEnd('/').LastIndexOf('/') + 1)..];

    /// <summary>The prefix that the key, or the folder, stands in.</summary>
    public static string Folder(string key) => key[..(key.TrimEnd('/').LastIndexOf('/') + 1)];
}

using System.Text.Json.Nodes;
using Althing.Design;
using MudBlazor;

namespace Althing.Jobs.Console;

/// <summary>The pages of jobs in the console.</summary>
static class JobsConsole
{
    public static ConsoleModule Module { get; } = new("Remote actions", typeof(JobsConsole).Assembly,
    [
        new("Jobs", "/console/jobs", Icons.Material.Outlined.PlaylistPlay),
        new("Job templates", "/console/job-templates", Icons.Material.Outlined.ContentPaste),
    ])
    {
        OfThing = [new("Jobs", "/console/things/{thing}/jobs", Icons.Material.Outlined.PlaylistPlay)],
        Search = Find,
    };

    static async Task<IReadOnlyList<SearchHit>> Find(IServiceProvider services, ConsoleSession session, string text)
    {
        var answer = await session.Call("iot", "ListJobs", new { maxResults = 250 });
        return
        [
            .. (answer["jobs"]?.AsArray() ?? []).Select(j => (string)j!["jobId"]!).Where(id => id.Contains(text, StringComparison.OrdinalIgnoreCase))
                .Take(12).Select(id => new SearchHit("job", id, "/console/jobs/" + Uri.EscapeDataString(id), Icons.Material.Outlined.PlaylistPlay)),
        ];
    }

    /// <summary>A state of a job or of an execution in a word.</summary>
    public static string Word(string? status) => (status ?? "").Replace('_', ' ').ToLowerInvariant();

    /// <summary>The tone of a state's chip.</summary>
    public static string Tone(string? status) => status switch
    {
        "SUCCEEDED" or "COMPLETED" => "good",
        "FAILED" or "REJECTED" or "TIMED_OUT" => "bad",
        "CANCELED" or "REMOVED" or "DELETION_IN_PROGRESS" => "warn",
        _ => "plain",
    };

    /// <summary>How many devices are how far, as DescribeJob counts them.</summary>
    public static IReadOnlyList<StackedBar.Part> Parts(JsonObject? counts)
    {
        return
        [
            new("succeeded", Of("Succeeded"), "good"), new("failed", Of("Failed"), "bad"), new("timed out", Of("TimedOut"), "bad"), new("rejected", Of("Rejected"), "bad"),
            new("in progress", Of("InProgress"), "busy"), new("queued", Of("Queued"), "plain"), new("canceled", Of("Canceled"), "warn"), new("removed", Of("Removed"), "warn"),
        ];

        long Of(string state) => (long?)counts?[$"numberOf{state}Things"] ?? 0;
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Design;

namespace Althing.Jobs.Console;

/// <summary>A job, or a template of one, that is being written in the console.</summary>
public sealed class JobDraft
{
    public string Id { get; set; } = "";
    public string Description { get; set; } = "";
    public string Document { get; set; } = "{\n  \"operation\": \"reboot\"\n}";

    /// <summary>Where the document is, in the object store; instead of <see cref="Document"/>.</summary>
    public string Source { get; set; } = "";
    public string? TemplateArn { get; set; }
    public Dictionary<string, string> Parameters { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of things, apart by commas, blanks or line breaks.</summary>
    public string Things { get; set; } = "";
    public IReadOnlyCollection<string> Groups { get; set; } = [];
    public bool Continuous { get; set; }

    public int? TimeoutMinutes { get; set; }
    public string RoleArn { get; set; } = "";

    public IReadOnlyList<string> ThingNames => [.. Things.Split([',', ' ', '\n', '\r', '\t', ';'], StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)];

    /// <summary>What is wrong with the document as text.</summary>
    public IReadOnlyList<CodeProblem> Problems()
    {
        try
        {
            JsonNode.Parse(Document, documentOptions: new() { MaxDepth = 64 });
            return [];
        }
        catch (JsonException wrong)
        {
            return [new((int)(wrong.LineNumber ?? 0) + 1, (int)(wrong.BytePositionInLine ?? 0) + 1, "This is not JSON.")];
        }
    }

    /// <summary>What CreateJob is asked.</summary>
    /// <param name="arnOf">The ARN of <c>thing/NAME</c> or <c>thinggroup/NAME</c>.</param>
    public JsonObject Request(Func<string, string> arnOf)
    {
        var request = Content("jobId");
        request["targets"] = new JsonArray([.. ThingNames.Select(t => (JsonNode)arnOf("thing/" + t)), .. Groups.Select(g => (JsonNode)arnOf("thinggroup/" + g))]);
        request["targetSelection"] = Continuous ? "CONTINUOUS" : "SNAPSHOT";
        if (Parameters.Any(p => p.Value.Length > 0))
            request["documentParameters"] = new JsonObject(Parameters.Where(p => p.Value.Length > 0).Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value)));
        return request;
    }

    /// <summary>What CreateJobTemplate is asked.</summary>
    public JsonObject Template() => Content("jobTemplateId");

    JsonObject Content(string idMember)
    {
        var request = new JsonObject { [idMember] = Id.Trim() };
        if (Description.Length > 0)
            request["description"] = Description;
        if (TemplateArn is not null)
            request["jobTemplateArn"] = TemplateArn;
        else if (Source.Length > 0)
            request["documentSource"] = Source.Trim();
        else
            request["document"] = Document;
        if (RoleArn.Length > 0)
            request["presignedUrlConfig"] = new JsonObject { ["roleArn"] = RoleArn.Trim() };
        if (TimeoutMinutes is { } minutes)
            request["timeoutConfig"] = new JsonObject { ["inProgressTimeoutInMinutes"] = minutes };
        return request;
    }

    /// <summary>A job as it was, to be run again.</summary>
    public static JobDraft From(JsonObject job, string document)
    {
        var draft = new JobDraft
        {
            Id = NextId((string)job["jobId"]!),
            Description = (string?)job["description"] ?? "",
            Document = JsonText.Tidy(document),
            Continuous = (string?)job["targetSelection"] == "CONTINUOUS",
            RoleArn = (string?)job["presignedUrlConfig"]?["roleArn"] ?? "",
            TimeoutMinutes = (int?)job["timeoutConfig"]?["inProgressTimeoutInMinutes"],
        };
        draft.TakeTargets((job["targets"] as JsonArray ?? []).Select(t => ((string)t!).Split(':', 6)[^1]));
        return draft;
    }

    void TakeTargets(IEnumerable<string> resources)
    {
        var all = resources.Select(r => r.Split('/', 2)).ToLookup(r => r[0], r => r[1]);
        Things = string.Join('\n', all["thing"]);
        Groups = [.. all["thinggroup"]];
    }

    /// <summary><c>update</c>, <c>update-2</c>, <c>update-3</c> …</summary>
    static string NextId(string id)
    {
        var dash = id.LastIndexOf('-');
        return dash > 0 && int.TryParse(id[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 100_000
            ? string.Create(CultureInfo.InvariantCulture, $"{id[..dash]}-{number + 1}")
            : id + "-2";
    }
}

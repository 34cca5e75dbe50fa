using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Identity;

namespace Althing.Jobs.Templates;

/// <summary>
/// A template that the platform brings ("AWS managed templates"): a frequent operation, in the document that the AWS IoT Device Client, and
/// whatever reads the same, carries out.
/// </summary>
sealed record ManagedTemplate(string Name, string Description, string Document, IReadOnlyList<DocumentParameter> Parameters)
{
    public const string ParameterPrefix = "parameter:";

    static readonly DocumentParameter RunAsUser =
        Optional("runAsUser", "The user that the action is run as; without it, the user that the device's agent runs as.", "(.){0,256}", "user1");
    static readonly DocumentParameter PathToHandler =
        Optional("pathToHandler", "The folder on the device that the handler is in; without it, the agent's own.", "(.){0,4096}", "/opt/handlers");

    public static IReadOnlyList<ManagedTemplate> All { get; } =
    [
        Handler("Download-File", "Downloads a file to the device.", "download-file.sh",
            Needed("downloadUrl", "Where the file is downloaded from; it may be a placeholder for a presigned URL.", "https://www.example.com/index.html"),
            Needed("filePath", "Where on the device the file is written.", "/path/to/file")),
        Handler("Install-Application", "Installs applications on the device.", "install-packages.sh",
            Needed("packages", "The packages to install, with spaces between them.", "nginx curl")),
        Handler("Reboot", "Reboots the device.", "reboot.sh"),
        Handler("Remove-Application", "Removes applications from the device.", "remove-packages.sh",
            Needed("packages", "The packages to remove, with spaces between them.", "nginx curl")),
        Handler("Restart-Application", "Stops system services of the device and starts them again.", "restart-services.sh",
            Needed("services", "The services to restart, with spaces between them.", "nginx cron")),
        new("AWS-Run-Command", "Runs a command on the device, without a shell.", Text("Run-Command", "runCommand", new() { ["command"] = Placeholder("command") }),
            [Needed("command", "The command and its arguments, with commas between them; a comma within one is written \\,", "echo,hello"), RunAsUser]),
        Handler("Start-Application", "Starts system services of the device.", "start-services.sh",
            Needed("services", "The services to start, with spaces between them.", "nginx cron")),
        Handler("Stop-Application", "Stops system services of the device.", "stop-services.sh",
            Needed("services", "The services to stop, with spaces between them.", "nginx cron")),
    ];

    public string Version => "1.0";
    public IReadOnlyList<string> Environments => ["LINUX"];

    public string ArnFor(Caller caller) => $"arn:aws:iot:{caller.Region}::{TemplateStore.ResourceType}/{Name}:{Version}";

    static ManagedTemplate Handler(string action, string description, string handler, params DocumentParameter[] arguments)
    {
        JsonObject input = new() { ["handler"] = handler };
        if (arguments.Length > 0)
            input["args"] = new JsonArray([.. arguments.Select(a => (JsonNode)Placeholder(a.Key))]);
        input["path"] = Placeholder(PathToHandler.Key);
        return new("AWS-" + action, description, Text(action, "runHandler", input), [.. arguments, RunAsUser, PathToHandler]);
    }

    static string Text(string name, string type, JsonObject input) => new JsonObject
    {
        ["version"] = "1.0",
        ["steps"] = new JsonArray(new JsonObject
        {
            ["action"] = new JsonObject { ["name"] = name, ["type"] = type, ["input"] = input, ["runAsUser"] = Placeholder(RunAsUser.Key) },
        }),
    }.ToJsonString(JsonSerializerOptions.Default);

    static JsonValue Placeholder(string key) => JsonValue.Create($"${{aws:iot:{ParameterPrefix}{key}}}");

    static DocumentParameter Needed(string key, string description, string example) =>
        new() { Key = key, Description = description, Regex = "(.*?)", Example = example, Optional = false };

    static DocumentParameter Optional(string key, string description, string regex, string example) =>
        new() { Key = key, Description = description, Regex = regex, Example = example, Optional = true };
}

using Althing.Design;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;

namespace Althing.Core.Console;

/// <summary>IoT Core's pages in the console.</summary>
static class CoreConsole
{
    /// <summary>Pages of things that the search looks through: an account may have more than a search box should read.</summary>
    const int ThingPagesMax = 8;
    const int HitsMax = 12;

    public static ConsoleModule Module { get; } = new("IoT Core", typeof(CoreConsole).Assembly,
    [
        new("Home", "/console", Icons.Material.Outlined.Home),
        new("Connections", "/console/connections", Icons.Material.Outlined.Sensors),
        new("Subscriptions", "/console/subscriptions", Icons.Material.Outlined.NotificationsActive),
        new("Retained", "/console/retained", Icons.Material.Outlined.PushPin),
        new("Traffic", "/console/traffic", Icons.Material.Outlined.Speed),
        new("Packet trace", "/console/trace", Icons.Material.Outlined.Timeline),
        new("Who got it?", "/console/why", Icons.Material.Outlined.HelpOutline),
        new("Things", "/console/things", Icons.Material.Outlined.Memory),
        new("Thing groups", "/console/thing-groups", Icons.Material.Outlined.AccountTree),
        new("Thing types", "/console/thing-types", Icons.Material.Outlined.Category),
        new("Billing groups", "/console/billing-groups", Icons.Material.Outlined.ReceiptLong),
        new("Certificates", "/console/certificates", Icons.Material.Outlined.VerifiedUser),
        new("CA certificates", "/console/ca-certificates", Icons.Material.Outlined.AccountBalance),
        new("Provisioning templates", "/console/provisioning-templates", Icons.Material.Outlined.Factory),
        new("Bulk registration", "/console/registration-tasks", Icons.Material.Outlined.PlaylistAdd),
        new("Certificate providers", "/console/certificate-providers", Icons.Material.Outlined.WorkspacePremium),
        new("Role aliases", "/console/role-aliases", Icons.Material.Outlined.Badge),
        new("Policies", "/console/policies", Icons.Material.Outlined.Policy),
        new("Policy tester", "/console/policy-tester", Icons.Material.Outlined.Rule),
        new("MQTT test client", "/console/mqtt", Icons.Material.Outlined.Forum),
    ])
    {
        Search = Find,
    };

    static async Task<IReadOnlyList<SearchHit>> Find(IServiceProvider services, ConsoleSession session, string text)
    {
        List<SearchHit> hits = [];
        string? token = null;
        for (var page = 0; page < ThingPagesMax && hits.Count < HitsMax; page++)
        {
            var request = new System.Text.Json.Nodes.JsonObject { ["maxResults"] = 250 };
            if (token is not null)
                request["nextToken"] = token;
            var answer = await session.Call("iot", "ListThings", request);
            hits.AddRange(Names(answer["things"], "thingName", text).Select(n => new SearchHit("thing", n, "/console/things/" + Uri.EscapeDataString(n), Icons.Material.Outlined.Memory)));
            token = (string?)answer["nextToken"];
            if (token is null)
                break;
        }
        await Add("ListThingGroups", new { maxResults = 250 }, "thingGroups", "groupName", "thing group", "/console/thing-groups/", Icons.Material.Outlined.AccountTree);
        await Add("ListBillingGroups", new { maxResults = 250 }, "billingGroups", "groupName", "billing group", "/console/billing-groups/", Icons.Material.Outlined.ReceiptLong);
        await Add("ListThingTypes", new { maxResults = 250 }, "thingTypes", "thingTypeName", "thing type", "/console/thing-types/", Icons.Material.Outlined.Category);
        await Add("ListPolicies", new { pageSize = 250 }, "policies", "policyName", "policy", "/console/policies/", Icons.Material.Outlined.Policy);
        await Add("ListCertificates", new { pageSize = 250 }, "certificates", "certificateId", "certificate", "/console/certificates/", Icons.Material.Outlined.VerifiedUser);
        await Add("ListProvisioningTemplates", new { maxResults = 250 }, "templates", "templateName", "provisioning template", "/console/provisioning-templates/", Icons.Material.Outlined.Factory);
        return [.. hits.Take(HitsMax)];

        async Task Add(string operation, object request, string list, string name, string kind, string path, string icon)
        {
            var answer = await session.Call("iot", operation, request);
            hits.AddRange(Names(answer[list], name, text).Select(n => new SearchHit(kind, n, path + Uri.EscapeDataString(n), icon)));
        }
    }

    static IEnumerable<string> Names(System.Text.Json.Nodes.JsonNode? list, string name, string text) =>
        (list?.AsArray() ?? []).Select(i => (string)i![name]!).Where(n => n.Contains(text, StringComparison.OrdinalIgnoreCase));
}

using System.Xml.Linq;

namespace Althing.Tests.Tidy;

/// <summary>Arrows between projects point down only, and services never know each other.</summary>
public sealed class FloorTests
{
    /// <summary>Lower floors first. A project may reference projects of its own floor group only where <see cref="Allowed"/> says so.</summary>
    static readonly string[] Floors = ["platform", "console/Design", "services", "console", "devices", "host", "bench", "tests"];

    /// <summary>What the registry's service shows the others.</summary>
    const string MeetingPlace = "services/Core.Public/Core.Public.csproj";

    /// <summary>Inside the ground floor, who stands on whom.</summary>
    static readonly Dictionary<string, string[]> GroundFloor = new()
    {
        ["Storage"] = [],
        ["Mqtt"] = [],
        ["Sockets"] = [],
        ["Telemetry"] = ["Storage"],
        ["Identity"] = ["Storage"],
        ["Api"] = ["Identity", "Storage", "Telemetry"],
        ["Cluster"] = ["Broker", "Mqtt", "Sockets", "Storage", "Identity"],
        ["Broker"] = ["Mqtt", "Sockets", "Storage", "Identity", "Telemetry"],
    };

    public static TheoryData<string> Projects => [.. Repository.Files(".csproj").Select(Repository.Relative)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void References_point_down(string project)
    {
        foreach (var reference in References(project))
        {
            var (from, to) = (FloorOf(project), FloorOf(reference));
            Assert.True(to <= from, $"{project} references {reference}, which stands above it.");
            if (from == 0 && to == 0)
                Assert.Contains(Name(reference), GroundFloor[Name(project)]);
            if (Floors[from] == "services" && Floors[to] == "services" && reference != MeetingPlace)
                Assert.Fail($"{project} references {reference}: services meet through Core.Public, a topic or an operation call.");
        }
    }

    static IEnumerable<string> References(string project)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, project))!;
        return from reference in XDocument.Load(Path.Combine(Repository.Root, project)).Descendants("ProjectReference")
               select Repository.Relative(Path.GetFullPath(Path.Combine(folder, reference.Attribute("Include")!.Value.Replace('\\', '/'))));
    }

    static int FloorOf(string project)
    {
        var floor = Array.FindLastIndex(Floors, f => project.StartsWith(f + "/", StringComparison.Ordinal) && (f != "console" || !project.StartsWith("console/Design/", StringComparison.Ordinal)));
        return floor >= 0 ? floor : throw new InvalidOperationException($"{project} is on no floor: put it under one of {string.Join(", ", Floors)}.");
    }

    static string Name(string project) => Path.GetFileNameWithoutExtension(project);
}

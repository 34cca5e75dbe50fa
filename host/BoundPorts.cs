using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Host;

/// <summary>The ports that the platform listens on, once it does: a wish for port 0 has become a number.</summary>
sealed record BoundPorts(int Http, int Https, int Mqtts, int? Mqtt)
{
    public static BoundPorts Of(WebApplication app, HostOptions options)
    {
        // In the order of Listeners.Configure.
        List<int> bound = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a).Port)];
        return new(Bound(options.Http, 0), Bound(options.Https, 1), Bound(options.Mqtts, 2), options.Mqtt is { } mqtt ? Bound(mqtt, 3) : null);
        int Bound(int asked, int at) => asked != 0 ? asked : bound[at];
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using Althing.Api;
using Althing.Core.Authority;
using Althing.Core.Principals;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Althing.Core.RoleAliases;

/// <summary>
/// The credential provider: gives a device that shows its certificate temporary keys of the role that an alias stands for ("Authorizing direct
/// calls to AWS services using AWS IoT Core credential provider").
/// </summary>
sealed partial class CredentialDoor(IStore store, DeviceCallers devices, SigningKeys keys, ILogger<CredentialDoor> logger)
{
    const string Action = "iot:AssumeRoleWithCertificate";
    const string Service = "credentials.iot.amazonaws.com";
    const string ThingHeader = "x-amzn-iot-thingname";

    /// <summary>Whether the request is the credential provider's; everything else under <c>/role-aliases</c> is the registry's.</summary>
    public static bool Takes(HttpContext http) =>
        http.Request.Path.Value is { } path && path.StartsWith("/role-aliases/", StringComparison.Ordinal) && CredentialPath().IsMatch(path);

    public async Task Handle(HttpContext http)
    {
        var cancel = http.RequestAborted;
        try
        {
            if (!HttpMethods.IsGet(http.Request.Method))
                throw new ServiceException("InvalidRequestException", StatusCodes.Status405MethodNotAllowed, "Credentials are asked for with GET.");
            var credentials = await Give(http, CredentialPath().Match(http.Request.Path.Value!).Groups[1].Value, cancel);
            http.Response.Headers.CacheControl = "no-store";
            await http.Response.WriteAsJsonAsync(credentials, cancel);
        }
        catch (ServiceException refusal)
        {
            logger.LogInformation("The credential provider refused {Path}: {Why}", http.Request.Path, refusal.Message);
            http.Response.StatusCode = refusal.Status;
            http.Response.Headers["x-amzn-ErrorType"] = refusal.Code;
            await http.Response.WriteAsJsonAsync(new { message = refusal.Message }, cancel);
        }
    }

    async ValueTask<object> Give(HttpContext http, string alias, CancellationToken cancel)
    {
        var certificate = http.Connection.ClientCertificate ?? throw Denied("No client certificate was presented.");
        var serverName = http.Features.Get<ITlsHandshakeFeature>()?.HostName;
        var caller = await devices.Identify(certificate, serverName is { Length: > 0 } ? serverName : null, http.Connection.RemoteIpAddress?.ToString(), cancel)
            ?? throw Denied("The client certificate is not registered here, or not active.");
        var thing = http.Request.Headers[ThingHeader].ToString() is { Length: > 0 } name ? await RequireThing(name, caller, cancel) : null;
        // Who may not have the alias does not learn whether there is one.
        if (!PolicyEvaluator.Evaluate(caller.Policies, new(Action, RoleAlias.Arn(alias, caller), WithThing(caller, thing))).Allowed)
            throw Denied("Access Denied");
        var found = await store.Get(RoleAlias.Table, caller.Account, alias, cancel)
            ?? throw new ServiceException("ResourceNotFoundException", StatusCodes.Status404NotFound, $"Role alias '{alias}' does not exist.");
        var role = await RequireRole(found.Value, cancel);
        var (key, expires) = keys.CreateSession(role, caller.UserId, TimeSpan.FromSeconds(found.Value.CredentialSeconds), policy: null, Context(caller, thing));
        return new
        {
            credentials = new
            {
                accessKeyId = key.AccessKeyId,
                secretAccessKey = key.SecretAccessKey.Value,
                sessionToken = key.SessionToken,
                expiration = expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            },
        };
    }

    /// <summary>"The ThingName … must match the name of the AWS IoT Thing resource assigned to a cert. If it doesn't match, a 403 error is returned."</summary>
    async ValueTask<Thing> RequireThing(string name, Caller caller, CancellationToken cancel)
    {
        var attached = await store.Get(ThingPrincipal.Table, caller.Account, Key.Of(name, PrincipalRef.OfCertificate(caller.UserId)), cancel);
        return attached is not null && await store.Get(Thing.Table, caller.Account, name, cancel) is { } thing
            ? thing.Value
            : throw Denied("Invalid thing name passed");
    }

    async ValueTask<Role> RequireRole(RoleAlias alias, CancellationToken cancel)
    {
        var arn = Arn.Parse(alias.RoleArn, Refuse.InvalidRequest);
        var row = arn.Account == alias.Account.Value
            ? await store.Get(Role.Table, alias.Account, Role.KeyOf(arn.ResourceId.Split('/')[^1]), cancel)
            : null;
        if (row?.Value is not { } role || role.Arn != alias.RoleArn)
            throw Denied($"The role {alias.RoleArn} of the role alias '{alias.Name}' does not exist.");
        if (!TrustPolicy.TrustsService(PolicyDocument.Parse(role.TrustPolicy, PolicyKind.Trust), Service, new Dictionary<string, string>()))
            throw Denied($"The role {alias.RoleArn} does not trust {Service}.");
        return alias.CredentialSeconds <= role.SessionMax.TotalSeconds
            ? role
            : throw Denied($"The role alias '{alias.Name}' gives credentials for {alias.CredentialSeconds} seconds, longer than sessions of its role may last.");
    }

    static Dictionary<string, string> Context(Caller caller, Thing? thing)
    {
        Dictionary<string, string> context = new(StringComparer.OrdinalIgnoreCase) { ["credentials-iot:AwsCertificateId"] = caller.UserId };
        if (thing is not null)
            context["credentials-iot:ThingName"] = thing.Name;
        if (thing?.TypeName is { } type)
            context["credentials-iot:ThingTypeName"] = type;
        return context;
    }

    static IReadOnlyDictionary<string, string> WithThing(Caller caller, Thing? thing)
    {
        if (thing is null)
            return caller.Context;
        Dictionary<string, string> context = new(caller.Context, StringComparer.OrdinalIgnoreCase)
        {
            ["iot:Connection.Thing.IsAttached"] = "true",
            ["iot:Connection.Thing.ThingName"] = thing.Name,
        };
        if (thing.TypeName is { } type)
            context["iot:Connection.Thing.ThingTypeName"] = type;
        foreach (var (name, value) in thing.Attributes)
            context[$"iot:Connection.Thing.Attributes[{name}]"] = value;
        return context;
    }

    static ServiceException Denied(string message) => new("AccessDeniedException", StatusCodes.Status403Forbidden, message);

    [GeneratedRegex(@"\A/role-aliases/([\w=,@-]{1,128})/credentials\z", RegexOptions.CultureInvariant)]
    private static partial Regex CredentialPath();
}

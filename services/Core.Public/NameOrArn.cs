using Althing.Api;
using Althing.Identity;

namespace Althing.Core;

/// <summary>Resources that a request names by their name or by their ARN.</summary>
public static class NameOrArn
{
    /// <summary>The ARN that a permission is asked for, in the caller's region whichever region the request's ARN has.</summary>
    public static string Arn(string? name, string? arn, string type, Caller caller) =>
        (arn is null ? name : NameIn(arn, type, caller)) is { } known ? caller.ArnOf("iot", $"{type}/{known}") : "*";

    /// <summary>The resource's name.</summary>
    /// <param name="member">What the request calls it, such as <c>thing</c> for <c>thingName</c> and <c>thingArn</c>.</param>
    /// <exception cref="ServiceException">InvalidRequestException when neither is given, both differ, or the ARN is no such resource's.</exception>
    public static string Resolve(string? name, string? arn, string type, string member, Caller caller)
    {
        if (arn is null)
            return name ?? throw Refuse.InvalidRequest($"Give '{member}Name' or '{member}Arn'.");
        var known = NameIn(arn, type, caller)
            ?? throw Refuse.InvalidRequest($"'{arn}' at '{member}Arn' is not an ARN of this account of the form {caller.ArnOf("iot", type + "/NAME")}.");
        return name is null || name == known
            ? known
            : throw Refuse.InvalidRequest($"'{member}Name' is '{name}' and '{member}Arn' names '{known}'. Give one of them.");
    }

    static string? NameIn(string arn, string type, Caller caller) =>
        Api.Arn.TryParse(arn, out var parsed) && parsed.Service == "iot" && parsed.Account == caller.Account.Value
        && parsed.Resource.StartsWith(type + "/", StringComparison.Ordinal) && parsed.Resource.Length > type.Length + 1
            ? parsed.Resource[(type.Length + 1)..]
            : null;
}

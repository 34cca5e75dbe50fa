using Althing.Identity;

namespace Althing.Iam;

/// <summary>ARNs of IAM's resources. They have no region, and their path is always <c>/</c> here.</summary>
static class IamArns
{
    public static string User(string name, Caller caller) => $"arn:aws:iam::{caller.Account}:user/{name}";

    public static string Role(string name, Caller caller) => $"arn:aws:iam::{caller.Account}:role/{name}";

    /// <summary>The user that a request means: the one it names, else the one who calls.</summary>
    /// <exception cref="Api.ServiceException">ValidationError: none is named, and a role calls.</exception>
    public static string UserName(string? named, Caller caller) => named
        ?? (caller.Kind == CallerKind.User ? caller.Arn[(caller.Arn.LastIndexOf('/') + 1)..] : throw Refuse.Validation("Must specify userName when calling with non-User credentials"));
}

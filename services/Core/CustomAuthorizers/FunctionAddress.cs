using System.Text.RegularExpressions;

namespace Althing.Core.CustomAuthorizers;

/// <summary>
/// Where a function that the platform asks is: at AWS the ARN of a Lambda function; here also an <c>https://</c> address, or an <c>http://</c> one on
/// this machine, that is called with POST.
/// </summary>
static partial class FunctionAddress
{
    /// <param name="member">The request's member, for the message.</param>
    /// <exception cref="Api.ServiceException">InvalidRequestException for what is none of these.</exception>
    public static void Check(string function, string member = "authorizerFunctionArn")
    {
        if (!LambdaArn().IsMatch(function) && UriOf(function) is null)
        {
            throw Refuse.InvalidRequest($"'{function}' at '{member}' is neither the ARN of a function (arn:aws:lambda:REGION:ACCOUNT:function:NAME) "
                + "nor an https:// address, nor an http:// address of this machine (localhost).");
        }
    }

    /// <summary>The address to call; null for a function that has none.</summary>
    public static Uri? UriOf(string function) =>
        Uri.TryCreate(function, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)) && uri.UserInfo.Length == 0
            ? uri
            : null;

    [GeneratedRegex(@"\Aarn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9_-]+(:[a-zA-Z0-9$_-]+)?\z")]
    private static partial Regex LambdaArn();
}

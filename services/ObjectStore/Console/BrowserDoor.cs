using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Design;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Althing.ObjectStore.Console;

/// <summary>
/// Gives the signed-in browser the content of objects, and takes it, as it flows: by the operations of the API, with a page's ticket. What is
/// given is somebody's upload and must not act as a page of the console: it is an attachment, in a sandbox, and of no other type than it says.
/// </summary>
static class BrowserDoor
{
    public static async Task Handle(HttpContext http)
    {
        var (tickets, api) = (http.RequestServices.GetRequiredService<ConsoleTickets>(), http.RequestServices.GetRequiredService<ApiClient>());
        try
        {
            var caller = tickets.CallerOf(http.Request.Query["ticket"])
                ?? throw new ServiceException("AccessDenied", StatusCodes.Status403Forbidden, "The address is no page's, or too old. Load the page again.");
            var request = new JsonObject { ["Bucket"] = http.Request.Query["bucket"].ToString(), ["Key"] = http.Request.Query["key"].ToString() };
            if (HttpMethods.IsPut(http.Request.Method))
                await Take(http, api, caller, request);
            else
                await Give(http, api, caller, request);
        }
        catch (ServiceException refusal) when (!http.Response.HasStarted)
        {
            http.Response.StatusCode = refusal.Status;
            await http.Response.WriteAsync(refusal.Message, http.RequestAborted);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException && http.RequestAborted.IsCancellationRequested)
        {
            // The browser has left: there is nobody to tell.
        }
    }

    static async Task Take(HttpContext http, ApiClient api, Identity.Caller caller, JsonObject request)
    {
        var length = http.Request.ContentLength ?? throw new ServiceException("MissingContentLength", StatusCodes.Status411LengthRequired, "The request does not say how long it is.");
        request["ContentType"] = http.Request.ContentType;
        await using var answer = await api.Stream(caller, "s3", "PutObject", request, new(http.Request.Body, length), http.RequestAborted);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    static async Task Give(HttpContext http, ApiClient api, Identity.Caller caller, JsonObject request)
    {
        if (http.Request.Query["version"].ToString() is { Length: > 0 } version)
            request["VersionId"] = version;
        if (http.Request.Headers.Range.ToString() is { Length: > 0 } range)
            request["Range"] = range;
        await using var answer = await api.Stream(caller, "s3", "GetObject", request, null, http.RequestAborted);
        var (response, headers) = (http.Response, http.Response.Headers);
        response.StatusCode = (string?)answer.Members["ContentRange"] is null ? StatusCodes.Status200OK : StatusCodes.Status206PartialContent;
        headers.ContentRange = (string?)answer.Members["ContentRange"];
        headers.AcceptRanges = "bytes";
        headers.ETag = (string?)answer.Members["ETag"];
        headers.ContentType = (string?)answer.Members["ContentType"];
        headers.ContentEncoding = (string?)answer.Members["ContentEncoding"];
        headers.ContentDisposition = Attachment((string)request["Key"]!);
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        headers.CacheControl = "private, no-store";
        response.ContentLength = answer.ContentLength;
        if (answer.Content is { } content)
            await content.CopyToAsync(response.Body, http.RequestAborted);
    }

    static string Attachment(string key)
    {
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(ObjectPaths.Name(key));
        return disposition.ToString();
    }
}

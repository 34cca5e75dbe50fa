using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Executions;
using Althing.Storage;

namespace Althing.Jobs;

/// <summary>Job documents: what they may be, where they come from, and what devices get ("Job document", "Presigned URLs").</summary>
sealed partial class DocumentTexts(IStore store, JobStore jobs, IEnumerable<IObjectFiles> files, JobLimits limits)
{
    const string Presigned = "s3-presigned-url:";

    static readonly TimeSpan LifetimeDefault = TimeSpan.FromHours(1);

    readonly IObjectFiles? files = files.FirstOrDefault();

    /// <summary>What a caller must be allowed who names a role, or an object that is read now.</summary>
    public static Permission? NeedsFor(PresignedUrlConfig? presigned, string? source)
    {
        var passing = presigned?.RoleArn is { } role ? new Permission("iam:PassRole", role) : null;
        return source is not null && S3Location.Of(source) is { } place
            ? new("s3:GetObject", $"arn:aws:s3:::{place.Bucket}/{place.Key}") { And = passing }
            : passing;
    }

    /// <exception cref="ServiceException">InvalidRequestException: it is too long, no JSON, or has placeholders that mean nothing.</exception>
    public void Check(string text, PresignedUrlConfig? presigned)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > limits.DocumentBytesMax)
            throw Refuse.InvalidRequest($"The job document has {bytes} bytes: {limits.DocumentBytesMax} are allowed.");
        try
        {
            using var parsed = JsonDocument.Parse(text);
        }
        catch (JsonException failure)
        {
            throw Refuse.InvalidRequest($"The job document is not JSON: {failure.Message}");
        }
        foreach (Match placeholder in Placeholders().Matches(text))
            CheckPlaceholder(placeholder.Groups[1].Value, presigned);
    }

    void CheckPlaceholder(string content, PresignedUrlConfig? presigned)
    {
        if (!content.StartsWith(Presigned, StringComparison.Ordinal))
        {
            throw Refuse.InvalidRequest($"'${{aws:iot:{content}}}' in the job document is no placeholder of a document without a template: "
                + "'${aws:iot:s3-presigned-url:https://s3.amazonaws.com/BUCKET/KEY}' is.");
        }
        if (S3Location.Of(content[Presigned.Length..]) is null)
            throw Refuse.InvalidRequest($"'{content[Presigned.Length..]}' in the job document does not name an object as https://s3.amazonaws.com/BUCKET/KEY does.");
        if (presigned?.RoleArn is null)
            throw Refuse.InvalidRequest("The job document has placeholders for presigned URLs: 'presignedUrlConfig' must name the role that they are signed for.");
        if (files is null)
            throw Refuse.InvalidRequest("This platform has no object store that presigned URLs could lead to.");
    }

    /// <exception cref="ServiceException">InvalidRequestException: there is no such role, or it does not trust AWS IoT.</exception>
    public async ValueTask CheckRole(AccountId account, PresignedUrlConfig? presigned, CancellationToken cancel)
    {
        if (presigned?.RoleArn is { } arn)
            await ServiceRole.Require(store, account, arn, cancel);
    }

    /// <summary>The text of a document that lies in an object. It is read once, when the job is created.</summary>
    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public async ValueTask<string> Fetch(AccountId account, string source, CancellationToken cancel)
    {
        if (S3Location.Of(source) is not { } place)
            throw Refuse.InvalidRequest($"'{source}' at 'documentSource' does not name an object as https://s3.amazonaws.com/BUCKET/KEY does.");
        if (files is null)
            throw Refuse.InvalidRequest("This platform has no object store that the job document could be in. Give it as 'document'.");
        await using var file = await files.Open(account, place.Bucket, place.Key, 0, cancel)
            ?? throw Refuse.InvalidRequest($"There is no object s3://{place.Bucket}/{place.Key} in this account.");
        if (file.Bytes > limits.DocumentBytesMax)
            throw Refuse.InvalidRequest($"The job document s3://{place.Bucket}/{place.Key} has {file.Bytes} bytes: {limits.DocumentBytesMax} are allowed.");
        using var reader = new StreamReader(file.Content, new UTF8Encoding(false, throwOnInvalidBytes: true));
        try
        {
            return await reader.ReadToEndAsync(cancel);
        }
        catch (DecoderFallbackException)
        {
            throw Refuse.InvalidRequest($"The job document s3://{place.Bucket}/{place.Key} is not UTF-8.");
        }
    }

    /// <summary>The document as a device gets it, with URLs that are good from now on.</summary>
    /// <exception cref="JobRefusal">The URLs cannot be made any more.</exception>
    public async ValueTask<string> ForDevice(Job job, CancellationToken cancel)
    {
        var text = await jobs.DocumentOf(job.Account, job.Id, cancel);
        if (!text.Contains("${aws:iot:", StringComparison.Ordinal))
            return text;
        if (files is null || job.PresignedUrlConfig?.RoleArn is not { } arn || await ServiceRole.Find(store, job.Account, arn, cancel) is not { } role)
            throw new JobRefusal(JobErrorCode.InternalError, $"The URLs in the document of job '{job.Id}' cannot be signed: their role is gone.");
        var lifetime = job.PresignedUrlConfig.ExpiresInSec is { } seconds ? TimeSpan.FromSeconds(seconds) : LifetimeDefault;
        return Placeholders().Replace(text, placeholder =>
        {
            var place = S3Location.Of(placeholder.Groups[1].Value[Presigned.Length..])!.Value;
            var url = files.Presign(role, place.Region ?? job.Region, place.Bucket, place.Key, lifetime);
            return JsonEncodedText.Encode(url.AbsoluteUri, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
        });
    }

    [GeneratedRegex(@"\$\{aws:iot:([^}]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholders();
}

using System.Globalization;

namespace Althing.ObjectStore.Objects;

/// <summary>Conditions on what is there (RFC 9110, section 13; "Conditional requests", Amazon S3 User Guide).</summary>
sealed record Conditions(string? IfMatch, string? IfNoneMatch, string? IfModifiedSince, string? IfUnmodifiedSince)
{
    /// <summary>For reading: true when the client has it already.</summary>
    /// <exception cref="Althing.Api.ServiceException">PreconditionFailed.</exception>
    public bool IsUnchanged(StoredObject version)
    {
        CheckMatches(version);
        if (IfNoneMatch is { } none)
            return Matches(none, version);
        return Time(IfModifiedSince) is { } since && version.Modified <= since;
    }

    /// <summary>For copying, where having it already is a failed condition as well.</summary>
    public void CheckAll(StoredObject version)
    {
        if (IsUnchanged(version))
            throw Refuse.PreconditionFailed(IfNoneMatch is not null ? "If-None-Match" : "If-Modified-Since");
    }

    void CheckMatches(StoredObject version)
    {
        if (IfMatch is { } match)
        {
            if (!Matches(match, version))
                throw Refuse.PreconditionFailed("If-Match");
        }
        else if (Time(IfUnmodifiedSince) is { } until && version.Modified > until)
        {
            throw Refuse.PreconditionFailed("If-Unmodified-Since");
        }
    }

    /// <summary>For writing: holds the latest version against If-Match and If-None-Match.</summary>
    public static Action<StoredObject?>? ForWriting(string key, string? ifMatch, string? ifNoneMatch)
    {
        if (ifNoneMatch is not null and not "*")
            throw Refuse.NotImplemented("If-None-Match with anything but * when writing");
        if (ifMatch is null && ifNoneMatch is null)
            return null;
        return latest =>
        {
            if (ifNoneMatch is not null && latest is not null)
                throw Refuse.PreconditionFailed("If-None-Match");
            if (ifMatch is not null && latest is null)
                throw Refuse.NoSuchKey(key);
            if (ifMatch is not null && !Matches(ifMatch, latest!))
                throw Refuse.PreconditionFailed("If-Match");
        };
    }

    static bool Matches(string tags, StoredObject version) =>
        tags.Split(',', StringSplitOptions.TrimEntries).Any(t => t == "*" || t.Trim('"') == version.Content!.ETag);

    static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}

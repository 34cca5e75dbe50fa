using Althing.Api;

namespace Althing.ObjectStore;

/// <summary>S3's errors, by the codes that go over the wire ("Error responses", Amazon S3 API Reference).</summary>
static class Refuse
{
    public static ServiceException InvalidArgument(string message) => new("InvalidArgument", 400, message);

    public static ServiceException InvalidRequest(string message) => new("InvalidRequest", 400, message);

    public static ServiceException MalformedXml(string message) => new("MalformedXML", 400, message);

    public static ServiceException NotImplemented(string what) => new("NotImplemented", 501, $"{what} is not served here.");

    public static ServiceException AccessDenied(string message) => new("AccessDenied", 403, message);

    public static ServiceException InvalidBucketName(string bucket) => new("InvalidBucketName", 400,
        $"'{bucket}' is not a valid bucket name: 3 to 63 lower-case letters, digits, dots and hyphens are, beginning and ending with a letter or digit.", ("BucketName", bucket));

    public static ServiceException NoSuchBucket(string bucket) => new("NoSuchBucket", 404, "The specified bucket does not exist", ("BucketName", bucket));

    public static ServiceException BucketAlreadyExists(string bucket) => new("BucketAlreadyExists", 409,
        "The requested bucket name is not available. Bucket names are unique in the whole platform. Choose another one.", ("BucketName", bucket));

    public static ServiceException BucketAlreadyOwnedByYou(string bucket) => new("BucketAlreadyOwnedByYou", 409,
        "Your previous request to create the named bucket succeeded and you already own it.", ("BucketName", bucket));

    public static ServiceException BucketNotEmpty(string bucket) => new("BucketNotEmpty", 409, "The bucket you tried to delete is not empty. Delete all objects and versions first.", ("BucketName", bucket));

    public static ServiceException NoSuchKey(string key) => new("NoSuchKey", 404, "The specified key does not exist.", ("Key", key));

    public static ServiceException NoSuchVersion(string key, string version) => new("NoSuchVersion", 404, "The specified version does not exist.", ("Key", key), ("VersionId", version));

    public static ServiceException NoSuchUpload(string id) => new("NoSuchUpload", 404,
        "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", ("UploadId", id));

    public static ServiceException NoSuchTagSet(string bucket) => new("NoSuchTagSet", 404, "The TagSet does not exist", ("BucketName", bucket));

    public static ServiceException InvalidTag(string message) => new("InvalidTag", 400, message);

    public static ServiceException MarkerNotAllowed() => new("MethodNotAllowed", 405, "The specified method is not allowed against this resource: it is a delete marker.");

    public static ServiceException PreconditionFailed(string condition) => new("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold", ("Condition", condition));

    public static ServiceException InvalidRange(string range, long bytes) => new("InvalidRange", 416, "The requested range is not satisfiable",
        ("RangeRequested", range), ("ActualObjectSize", bytes.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    public static ServiceException InvalidPart(int number) => new("InvalidPart", 400,
        $"Part {number} could not be found, or its entity tag is not the one given. Upload it again.", ("PartNumber", $"{number}"));

    public static ServiceException InvalidPartOrder() => new("InvalidPartOrder", 400, "The list of parts was not in ascending order. The parts list must be specified in order by part number.");

    public static ServiceException InvalidPartNumber() => new("InvalidPartNumber", 416, "The requested partnumber is not satisfiable");

    public static ServiceException EntityTooSmall(int number, long bytes) => new("EntityTooSmall", 400,
        "Your proposed upload is smaller than the minimum allowed size: every part but the last needs 5 MiB.", ("PartNumber", $"{number}"), ("ProposedSize", $"{bytes}"));

    public static ServiceException EntityTooLarge(long bytes, long max) => new("EntityTooLarge", 400,
        "Your proposed upload exceeds the maximum allowed size", ("ProposedSize", $"{bytes}"), ("MaxSizeAllowed", $"{max}"));

    public static ServiceException CopySourceTooLarge(long max) => new("InvalidRequest", 400, $"The specified copy source is larger than the maximum allowable size for a copy source: {max}. Copy it in parts.");

    public static ServiceException KeyTooLong(int bytes) => new("KeyTooLongError", 400, "Your key is too long", ("Size", $"{bytes}"), ("MaxSizeAllowed", "1024"));

    public static ServiceException BadDigest(string what) => new("BadDigest", 400, $"The {what} you specified did not match the calculated checksum.");

    public static ServiceException InvalidDigest() => new("InvalidDigest", 400, "The Content-MD5 you specified is not valid: it must be the base64 of 16 bytes.");

    public static ServiceException MetadataTooLarge(int bytes) => new("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size", ("Size", $"{bytes}"), ("MaxSizeAllowed", "2048"));

    public static ServiceException ServiceUnavailable(string message = "The service that keeps the objects does not answer as it should. Please try again.") => new("ServiceUnavailable", 503, message);

    public static ServiceException InternalError() => new("InternalError", 500, "The service that keeps the objects gave no answer that can be used. The platform's log has the cause. Please try again.");

    public static ServiceException Conflict() => new("OperationAborted", 409, "A conflicting operation is in progress against this resource. Try again.");
}

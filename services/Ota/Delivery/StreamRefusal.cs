namespace Althing.Ota.Delivery;

/// <summary>Why a device's request is refused, as its <c>rejected</c> topic says it ("Handling errors from AWS IoT MQTT-based file delivery").</summary>
sealed class StreamRefusal(string code, string message) : Exception(message)
{
    public string Code => code;

    public static StreamRefusal InvalidTopic(string topic) => new("InvalidTopic", $"There is nothing to ask on the topic '{topic}'.");

    public static StreamRefusal InvalidDocument(PayloadFormat format) =>
        format == PayloadFormat.Cbor ? new("InvalidCbor", "The request is not a CBOR map.") : new("InvalidJson", "The request is not a JSON object.");

    public static StreamRefusal InvalidRequest(string message) => new("InvalidRequest", message);

    public static StreamRefusal Unauthorized(string message) => new("Unauthorized", message);

    public static StreamRefusal BlockSizeOutOfBounds(string message) => new("BlockSizeOutOfBounds", message);

    public static StreamRefusal OffsetOutOfBounds(string message) => new("OffsetOutOfBounds", message);

    public static StreamRefusal BlockCountLimitExceeded(string message) => new("BlockCountLimitExceeded", message);

    public static StreamRefusal BlockBitmapLimitExceeded(string message) => new("BlockBitmapLimitExceeded", message);

    public static StreamRefusal ResourceNotFound(string message) => new("ResourceNotFound", message);

    public static StreamRefusal VersionMismatch(int asked, int there) =>
        new("VersionMismatch", $"The stream has version {there}, not {asked}. Begin anew.");

    public static StreamRefusal ETagMismatch(int fileId) =>
        new("ETagMismatch", $"The object behind file {fileId} was overwritten since the stream was made. Update the stream.");

    /// <summary>The documentation has no code for it; jobs have this one.</summary>
    public static StreamRefusal RequestThrottled() => new("RequestThrottled", "Too many requests are waiting. Wait for answers before asking for more.");

    public static StreamRefusal InternalError() => new("InternalError", "The request could not be carried out. Try again.");
}

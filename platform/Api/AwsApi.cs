using System.Reflection;
using System.Text.Json;

namespace Althing.Api;

/// <summary>A type that stands for one API, so that an operation's attribute can name it and the compiler check it.</summary>
public interface IAwsApi
{
    static abstract AwsApi Definition { get; }
}

/// <summary>How an operation and its members travel.</summary>
public enum WireProtocol { RestJson, AwsJson10, AwsJson11, AwsQuery, RestXml }

/// <summary>The facts of one API that its operations share.</summary>
public sealed record AwsApi
{
    /// <summary>The API's own name here, unique in the platform, such as <c>iot</c> or <c>iot-data</c>.</summary>
    public required string Name { get; init; }

    public required WireProtocol Protocol { get; init; }

    /// <summary>Names in the SigV4 credential scope that mean this API. Several APIs may share one; routes then decide.</summary>
    public required IReadOnlyList<string> SigningNames { get; init; }

    /// <summary>Host name prefixes that mean this API when the request carries no signature to tell, such as <c>data-ats.iot</c>.</summary>
    public IReadOnlyList<string> HostPrefixes { get; init; } = [];

    /// <summary>What stands before the dot in <c>X-Amz-Target</c>, for the AWS JSON protocols.</summary>
    public string? TargetPrefix { get; init; }

    /// <summary>The version and XML namespace of an AWS Query API.</summary>
    public string? QueryVersion { get; init; }
    public string? XmlNamespace { get; init; }

    /// <summary>Makes the API's own exception for input that breaks a constraint.</summary>
    public required Func<string, ServiceException> Invalid { get; init; }

    /// <summary>Makes the API's own exception for too many calls.</summary>
    public Func<ServiceException> Throttled { get; init; } = Refuse.Throttling;

    /// <summary>How shapes are written: camel case for most APIs, as declared for those whose members begin with a capital.</summary>
    public JsonSerializerOptions Json { get; init; } = WireJson.CamelCase;

    /// <summary>Makes the API's own exception for an idempotency token that was used for another request; <see cref="Invalid"/> if not given.</summary>
    public Func<string, ServiceException>? TokenReused { get; init; }

    /// <summary>Whether a signature may leave the body out (<c>UNSIGNED-PAYLOAD</c>). AWS allows it for S3 and few others.</summary>
    public bool AllowsUnsignedPayload { get; init; }

    /// <summary>For REST-XML: query parameters that name a part of the API, whether or not it is served, such as <c>acl</c>.</summary>
    public IReadOnlyList<string> Subresources { get; init; } = [];

    /// <summary>Whether devices may call it over TLS with their certificate instead of a signature.</summary>
    public bool AllowsCertificates { get; init; }

    /// <summary>The largest request body accepted, without any chunk framing.</summary>
    public int BodyBytesMax { get; init; } = 1024 * 1024;

    internal static AwsApi Of(Type marker) =>
        (AwsApi)marker.GetProperty(nameof(IAwsApi.Definition), BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
}

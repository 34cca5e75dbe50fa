using System.Text.RegularExpressions;
using Althing.Storage;

namespace Althing.ObjectStore.Buckets;

/// <summary>A bucket. Key: name, over all accounts.</summary>
sealed partial record Bucket
{
    public const string Enabled = "Enabled";
    public const string Suspended = "Suspended";

    public static readonly Table<Bucket> Table = new("s3-buckets", b => (AccountId.Platform, b.Name), Index<Bucket>.On("owner", b => b.Owner.Value));

    public required string Name { get; init; }
    public required AccountId Owner { get; init; }
    public required string Region { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Null while versioning has never been turned on.</summary>
    public string? Versioning { get; init; }

    public IReadOnlyDictionary<string, string>? Tags { get; init; }

    /// <summary>Set while it is found out whether the bucket is empty, so that nothing is put into it meanwhile.</summary>
    public bool Closing { get; init; }

    /// <summary>Whether its objects are kept at another service.</summary>
    public bool Elsewhere { get; init; }

    /// <summary>Set until the other service has made it.</summary>
    public bool Making { get; init; }

    /// <remarks>"General purpose bucket naming rules" (Amazon S3 User Guide).</remarks>
    public static bool IsName(string name) => Name_().IsMatch(name) && !name.Contains("..", StringComparison.Ordinal) && !Address().IsMatch(name)
        && !name.StartsWith("xn--", StringComparison.Ordinal) && !name.EndsWith("-s3alias", StringComparison.Ordinal);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]\z")]
    private static partial Regex Name_();

    [GeneratedRegex(@"\A\d+\.\d+\.\d+\.\d+\z")]
    private static partial Regex Address();
}

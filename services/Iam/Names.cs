namespace Althing.Iam;

/// <summary>The patterns that IAM's model gives names.</summary>
static class Names
{
    public const string Entity = @"[\w+=,.@-]+";
    public const string Id = @"[\w]+";
    public const string Path = @"(\u002F)|(\u002F[\u0021-\u007F]+\u002F)";
    public const string PathPrefix = @"\u002F[\u0021-\u007F]*";
    public const string Marker = @"[\u0020-\u00FF]+";
    public const string Document = @"[\u0009\u000A\u000D\u0020-\u00FF]+";
    public const string RoleDescription = @"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*";
    public const string TagKey = @"[\p{L}\p{Z}\p{N}_.:/=+\-@]+";
}

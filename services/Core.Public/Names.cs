namespace Althing.Core;

/// <summary>The patterns of names, as in the model.</summary>
public static class Names
{
    public const string Thing = "[a-zA-Z0-9:_-]+";
    public const string ThingType = "[a-zA-Z0-9:_-]+";
    public const string ThingGroup = "[a-zA-Z0-9:_-]+";
    public const string BillingGroup = "[a-zA-Z0-9:_-]+";
    public const string AttributeName = "[a-zA-Z0-9_.,@/:#-]+";
    public const string AttributeValue = "[a-zA-Z0-9_.,@/:#=\\[\\]-]*";
    public const string Description = @"[\p{Graph}\x20]*";
    public const string TagKey = @"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$";
    public const string Policy = @"[\w+=,.@-]+";
    public const string PolicyVersion = "[0-9]+";
    public const string RoleAlias = @"[\w=,@-]+";
    public const string Authorizer = @"[\w=,@-]+";
    public const string TokenKey = "[a-zA-Z0-9_-]+";
    public const string CertificateId = "(0x)?[a-fA-F0-9]+";
    public const string AccountId = "[0-9]+";
}

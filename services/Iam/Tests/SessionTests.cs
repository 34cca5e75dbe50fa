using Althing.Identity;

namespace Althing.Tests.Iam;

/// <summary>Roles and who may become them; temporary credentials and how they end.</summary>
public sealed class SessionTests(IamHouse house) : IClassFixture<IamHouse>
{
    static async Task NewRole(IamClient admin, string name, string trust, string policy)
    {
        await admin.Call("CreateRole", ("RoleName", name), ("AssumeRolePolicyDocument", trust));
        await admin.Call("PutRolePolicy", ("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", policy));
    }

    static (string, string)[] Assume(IamClient owner, string role, params (string, string)[] more) =>
        [("RoleArn", owner.RoleArn(role)), ("RoleSessionName", "shift"), .. more];

    [Fact]
    public async Task A_session_is_the_role_and_may_do_what_the_role_may()
    {
        var admin = await house.NewAdministrator();
        await NewRole(admin, "reader", IamClient.TrustOf(admin.Account), IamClient.Policy("iam:Get*"));
        var answer = await admin.Call("AssumeRole", Assume(admin, "reader"));
        Assert.Equal(house.Time.GetUtcNow().AddHours(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), IamClient.Text(answer, "Expiration"));
        var session = admin.With(answer);
        var identity = await session.Call("GetCallerIdentity");
        Assert.Equal($"arn:aws:sts::{admin.Account}:assumed-role/reader/shift", IamClient.Text(identity, "Arn"));
        Assert.Matches("^AROA[A-Z2-7]{16}:shift$", IamClient.Text(identity, "UserId"));
        await session.Call("GetRole", ("RoleName", "reader"));
        await session.Refused("AccessDenied", "ListRoles");
        await session.Refused("ValidationError", "GetUser");
        await admin.Call("PutRolePolicy", ("RoleName", "reader"), ("PolicyName", "p"), ("PolicyDocument", IamClient.Policy("iam:List*")));
        await session.Call("ListRoles");
        await session.Refused("AccessDenied", "GetRole", ("RoleName", "reader"));
        await (session with { Token = session.Token![..^4] + "AAA=" }).Refused("InvalidClientTokenId", "GetCallerIdentity");
        await (session with { Token = null }).Refused("InvalidClientTokenId", "GetCallerIdentity");
    }

    [Fact]
    public async Task A_session_policy_can_only_take_away()
    {
        var admin = await house.NewAdministrator();
        await NewRole(admin, "reader", IamClient.TrustOf(admin.Account), IamClient.Policy("iam:Get*"));
        var session = admin.With(await admin.Call("AssumeRole", Assume(admin, "reader", ("Policy", IamClient.Policy("iam:GetRole")))));
        await session.Call("GetRole", ("RoleName", "reader"));
        await session.Refused("AccessDenied", "GetRolePolicy", ("RoleName", "reader"), ("PolicyName", "p"));
        var wide = admin.With(await admin.Call("AssumeRole", Assume(admin, "reader", ("Policy", IamClient.Policy("*")))));
        await wide.Refused("AccessDenied", "ListRoles");
        await admin.Refused("MalformedPolicyDocument", "AssumeRole", Assume(admin, "reader", ("Policy", "{}")));
    }

    [Fact]
    public async Task Who_trusts_whom_decides_what_else_is_needed()
    {
        var admin = await house.NewAdministrator();
        var bob = await admin.NewUser("bob");
        await NewRole(admin, "byname", IamClient.TrustOf(admin.UserArn("bob")), IamClient.Policy("*"));
        await NewRole(admin, "byaccount", IamClient.TrustOf(admin.Account), IamClient.Policy("*"));
        await bob.Call("AssumeRole", Assume(admin, "byname"));
        Assert.Equal($"User: {admin.UserArn("bob")} is not authorized to perform: sts:AssumeRole on resource: {admin.RoleArn("byaccount")}",
            await bob.Refused("AccessDenied", "AssumeRole", Assume(admin, "byaccount")));
        await bob.Refused("AccessDenied", "AssumeRole", Assume(admin, "nothere"));
        await admin.Refused("AccessDenied", "AssumeRole", Assume(admin, "byname"));
        await admin.Call("PutUserPolicy", ("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", IamClient.Policy("sts:AssumeRole", admin.RoleArn("byaccount"))));
        await bob.Call("AssumeRole", Assume(admin, "byaccount"));
        await admin.Call("PutUserPolicy", ("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", IamClient.Policy("sts:AssumeRole", effect: "Deny")));
        await bob.Refused("AccessDenied", "AssumeRole", Assume(admin, "byname"));
    }

    [Fact]
    public async Task Another_accounts_caller_needs_both_sides()
    {
        var (owner, guest) = (await house.NewAdministrator(), await house.NewAdministrator());
        var bob = await guest.NewUser("bob");
        await NewRole(owner, "visitor", IamClient.TrustOf(guest.UserArn("bob")), IamClient.Policy("iam:ListUsers"));
        await bob.Refused("AccessDenied", "AssumeRole", Assume(owner, "visitor"));
        await guest.Refused("AccessDenied", "AssumeRole", Assume(owner, "visitor"));
        await guest.Call("PutUserPolicy", ("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", IamClient.Policy("sts:AssumeRole")));
        var session = bob.With(await bob.Call("AssumeRole", Assume(owner, "visitor")));
        Assert.Equal(owner.Account, IamClient.Text(await session.Call("GetCallerIdentity"), "Account"));
        Assert.Equal(["admin"], IamClient.Texts(await session.Call("ListUsers"), "UserName"));
        await owner.Call("UpdateAssumeRolePolicy", ("RoleName", "visitor"), ("PolicyDocument", IamClient.TrustOf(owner.Account)));
        await bob.Refused("AccessDenied", "AssumeRole", Assume(owner, "visitor"));
    }

    [Fact]
    public async Task A_trust_policys_conditions_count()
    {
        var admin = await house.NewAdministrator();
        await NewRole(admin, "partner", IamClient.TrustOf(admin.Account, """{"StringEquals":{"sts:ExternalId":"e-17"},"StringLike":{"sts:RoleSessionName":"sh*"}}"""), IamClient.Policy("*"));
        await admin.Refused("AccessDenied", "AssumeRole", Assume(admin, "partner"));
        await admin.Refused("AccessDenied", "AssumeRole", Assume(admin, "partner", ("ExternalId", "e-18")));
        await admin.Call("AssumeRole", Assume(admin, "partner", ("ExternalId", "e-17")));
        await admin.Refused("AccessDenied", "AssumeRole", ("RoleArn", admin.RoleArn("partner")), ("RoleSessionName", "night"), ("ExternalId", "e-17"));
    }

    [Fact]
    public async Task Sessions_last_as_long_as_asked_within_the_roles_limit()
    {
        await using var own = new IamHouse();
        await own.InitializeAsync();
        var admin = await own.NewAdministrator();
        await NewRole(admin, "r", IamClient.TrustOf(admin.Account), IamClient.Policy("*"));
        await admin.Refused("ValidationError", "AssumeRole", Assume(admin, "r", ("DurationSeconds", "899")));
        Assert.Equal("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", await admin.Refused("ValidationError", "AssumeRole", Assume(admin, "r", ("DurationSeconds", "3601"))));
        await admin.Call("UpdateRole", ("RoleName", "r"), ("MaxSessionDuration", "7200"));
        var session = admin.With(await admin.Call("AssumeRole", Assume(admin, "r", ("DurationSeconds", "7200"))));
        Assert.StartsWith("The requested DurationSeconds exceeds the 1 hour session limit", await session.Refused("ValidationError", "AssumeRole", Assume(admin, "r", ("DurationSeconds", "3601"))));
        await session.Call("AssumeRole", Assume(admin, "r"));
        own.Time.Advance(TimeSpan.FromSeconds(7198));
        await session.Call("GetCallerIdentity");
        own.Time.Advance(TimeSpan.FromSeconds(2));
        await session.Refused("ExpiredToken", "GetCallerIdentity");
    }

    [Fact]
    public async Task A_deleted_roles_sessions_end_and_do_not_come_back_with_its_name()
    {
        var admin = await house.NewAdministrator();
        await NewRole(admin, "r", IamClient.TrustOf(admin.Account), IamClient.Policy("*"));
        var session = admin.With(await admin.Call("AssumeRole", Assume(admin, "r")));
        await session.Call("GetCallerIdentity");
        await admin.Refused("DeleteConflict", "DeleteRole", ("RoleName", "r"));
        await admin.Call("DeleteRolePolicy", ("RoleName", "r"), ("PolicyName", "p"));
        await admin.Call("DeleteRole", ("RoleName", "r"));
        await session.Refused("InvalidClientTokenId", "GetCallerIdentity");
        await NewRole(admin, "r", IamClient.TrustOf(admin.Account), IamClient.Policy("*"));
        await session.Refused("InvalidClientTokenId", "GetCallerIdentity");
    }

    [Fact]
    public async Task A_users_session_is_the_user_and_cannot_get_another()
    {
        var admin = await house.NewAdministrator();
        var session = admin.With(await admin.Call("GetSessionToken", ("DurationSeconds", "900")));
        Assert.Equal(IamClient.Text(await admin.Call("GetCallerIdentity"), "UserId"), IamClient.Text(await session.Call("GetCallerIdentity"), "UserId"));
        await session.Call("ListUsers");
        await session.Refused("AccessDenied", "GetSessionToken");
        await admin.Refused("AccessDenied", "GetSessionToken", ("SerialNumber", "arn:aws:iam::1:mfa/x"), ("TokenCode", "123456"));
        var bob = await admin.NewUser("bob", IamClient.Policy("iam:ListUsers"));
        var bobs = bob.With(await bob.Call("GetSessionToken"));
        await bobs.Call("ListUsers");
        await admin.Call("DeleteUserPolicy", ("UserName", "bob"), ("PolicyName", "p"));
        await bobs.Refused("AccessDenied", "ListUsers");
    }

    [Theory]
    [InlineData("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")]
    [InlineData("Tags.member.1.Key", "team")]
    [InlineData("TransitiveTagKeys.member.1", "team")]
    [InlineData("SourceIdentity", "ann")]
    [InlineData("RoleArn", "arn:aws:iam::123456789012:user/ann")]
    [InlineData("RoleArn", "arn:aws:iam::12345678901x:role/reader")]
    [InlineData("RoleSessionName", "a b")]
    public async Task What_is_not_served_is_refused(string member, string value)
    {
        var admin = await house.NewAdministrator();
        Dictionary<string, string> members = new() { ["RoleArn"] = admin.RoleArn("r"), ["RoleSessionName"] = "shift", [member] = value };
        if (member.StartsWith("Tags", StringComparison.Ordinal))
            members["Tags.member.1.Value"] = "x";
        await admin.Refused("ValidationError", "AssumeRole", [.. members.Select(m => (m.Key, m.Value))]);
    }
}

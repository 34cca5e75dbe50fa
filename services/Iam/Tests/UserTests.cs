using System.Xml.Linq;

namespace Althing.Tests.Iam;

/// <summary>Users, their keys and their policies.</summary>
public sealed class UserTests(IamHouse house) : IClassFixture<IamHouse>
{
    [Fact]
    public async Task A_user_is_as_it_was_made_and_its_name_is_taken_whatever_the_case()
    {
        var admin = await house.NewAdministrator();
        var made = await admin.Call("CreateUser", ("UserName", "Ann"), ("Path", "/"));
        Assert.Equal(admin.UserArn("Ann"), IamClient.Text(made, "Arn"));
        Assert.Matches("^AIDA[A-Z2-7]{16}$", IamClient.Text(made, "UserId"));
        Assert.Equal(IamClient.Text(made, "UserId"), IamClient.Text(await admin.Call("GetUser", ("UserName", "Ann")), "UserId"));
        Assert.Equal("User with name ann already exists.", await admin.Refused("EntityAlreadyExists", "CreateUser", ("UserName", "ann")));
        await admin.Refused("NoSuchEntity", "GetUser", ("UserName", "ann"));
        Assert.Equal("admin", IamClient.Text(await admin.Call("GetUser"), "UserName"));
    }

    [Theory]
    [InlineData("ValidationError", "UserName", "")]
    [InlineData("ValidationError", "UserName", "a b")]
    [InlineData("ValidationError", "UserName", "../admin")]
    [InlineData("ValidationError", "UserName", "ann\n")]
    [InlineData("InvalidInput", "Path", "/staff/")]
    [InlineData("InvalidInput", "PermissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess")]
    [InlineData("InvalidInput", "Tags.member.1.Key", "team")]
    public async Task What_cannot_be_is_refused_and_never_ignored(string code, string member, string value)
    {
        var admin = await house.NewAdministrator();
        (string, string)[] members = member == "UserName" ? [(member, value)]
            : member.StartsWith("Tags", StringComparison.Ordinal) ? [("UserName", "bob"), (member, value), ("Tags.member.1.Value", "x")]
            : [("UserName", "bob"), (member, value)];
        await admin.Refused(code, "CreateUser", members);
        await admin.Refused("NoSuchEntity", "GetUser", ("UserName", "bob"));
    }

    [Fact]
    public async Task Listings_go_page_by_page_and_markers_are_of_one_listing_of_one_account()
    {
        var (admin, other) = (await house.NewAdministrator(), await house.NewAdministrator());
        foreach (var name in new[] { "u1", "u2", "u3", "u4" })
            await admin.Call("CreateUser", ("UserName", name));
        List<string> names = [];
        var page = await admin.Call("ListUsers", ("MaxItems", "2"));
        var marker = IamClient.Text(page, "Marker");
        for (; ; page = await admin.Call("ListUsers", ("MaxItems", "2"), ("Marker", IamClient.Text(page, "Marker"))))
        {
            names.AddRange(IamClient.Texts(page, "UserName"));
            if (IamClient.Text(page, "IsTruncated") == "false")
                break;
        }
        Assert.Equal(["admin", "u1", "u2", "u3", "u4"], names);
        await other.Refused("ValidationError", "ListUsers", ("Marker", marker));
        await admin.Refused("ValidationError", "ListRoles", ("Marker", marker));
        await admin.Refused("ValidationError", "ListUsers", ("MaxItems", "0"));
        Assert.Empty(IamClient.Texts(await admin.Call("ListUsers", ("PathPrefix", "/staff/")), "UserName"));
    }

    [Fact]
    public async Task A_user_has_two_keys_at_most_however_many_ask_at_once()
    {
        var admin = await house.NewAdministrator();
        await admin.Call("CreateUser", ("UserName", "bob"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => admin.Send("CreateAccessKey", ("UserName", "bob"))));
        Assert.Equal(2, answers.Count(a => a.Status == 200));
        Assert.All(answers.Where(a => a.Status != 200), a => Assert.Equal("LimitExceeded", IamClient.Text(a.Answer, "Code")));
        Assert.Equal(2, IamClient.Texts(await admin.Call("ListAccessKeys", ("UserName", "bob")), "AccessKeyId").Count());
    }

    [Fact]
    public async Task Another_users_and_another_accounts_keys_are_not_there()
    {
        var (admin, other) = (await house.NewAdministrator(), await house.NewAdministrator());
        var bob = await admin.NewUser("bob");
        await admin.Refused("NoSuchEntity", "DeleteAccessKey", ("AccessKeyId", bob.KeyId));
        await other.Call("CreateUser", ("UserName", "bob"));
        await other.Refused("NoSuchEntity", "UpdateAccessKey", ("UserName", "bob"), ("AccessKeyId", bob.KeyId), ("Status", "Inactive"));
        await bob.Call("GetCallerIdentity");
    }

    [Fact]
    public async Task Secrets_are_shown_once_and_lie_encrypted()
    {
        var admin = await house.NewAdministrator();
        var bob = await admin.NewUser("bob");
        var listed = await admin.Call("ListAccessKeys", ("UserName", "bob"));
        Assert.DoesNotContain(bob.Secret.Value, listed.ToString());
        foreach (var file in Directory.EnumerateFiles(house.Folder, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock"))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
            Assert.DoesNotContain(bob.Secret.Value, await reader.ReadToEndAsync());
        }
    }

    [Fact]
    public async Task A_user_may_do_what_its_policies_say_from_the_next_request_on()
    {
        var admin = await house.NewAdministrator();
        var bob = await admin.NewUser("bob");
        Assert.Equal(
            $"User: {admin.UserArn("bob")} is not authorized to perform: iam:GetUser on resource: {admin.UserArn("bob")} because no identity-based policy allows the iam:GetUser action",
            await bob.Refused("AccessDenied", "GetUser"));
        await admin.Call("PutUserPolicy", ("UserName", "bob"), ("PolicyName", "own"), ("PolicyDocument", IamClient.Policy("iam:GetUser", "arn:aws:iam::*:user/${aws:username}")));
        await bob.Call("GetUser");
        await bob.Refused("AccessDenied", "GetUser", ("UserName", "admin"));
        await admin.Call("PutUserPolicy", ("UserName", "bob"), ("PolicyName", "not"), ("PolicyDocument", IamClient.Policy("*", effect: "Deny")));
        Assert.EndsWith("with an explicit deny in a policy", await bob.Refused("AccessDenied", "GetUser"));
        await bob.Call("GetCallerIdentity");
        await admin.Call("DeleteUserPolicy", ("UserName", "bob"), ("PolicyName", "not"));
        await bob.Call("GetUser");
        Assert.Equal(["own"], IamClient.Texts(await admin.Call("ListUserPolicies", ("UserName", "bob")), "PolicyNames"));
    }

    [Fact]
    public async Task A_key_stops_at_once_when_it_is_switched_off_deleted_or_its_user_goes()
    {
        var admin = await house.NewAdministrator();
        var bob = await admin.NewUser("bob");
        await bob.Call("GetCallerIdentity");
        await admin.Call("UpdateAccessKey", ("UserName", "bob"), ("AccessKeyId", bob.KeyId), ("Status", "Inactive"));
        Assert.Equal("The security token included in the request is invalid.", await bob.Refused("InvalidClientTokenId", "GetCallerIdentity"));
        await admin.Call("UpdateAccessKey", ("UserName", "bob"), ("AccessKeyId", bob.KeyId), ("Status", "Active"));
        await bob.Call("GetCallerIdentity");
        await admin.Refused("DeleteConflict", "DeleteUser", ("UserName", "bob"));
        await admin.Call("DeleteAccessKey", ("UserName", "bob"), ("AccessKeyId", bob.KeyId));
        await bob.Refused("InvalidClientTokenId", "GetCallerIdentity");
        await admin.Call("DeleteUser", ("UserName", "bob"));
        await admin.Refused("NoSuchEntity", "DeleteUser", ("UserName", "bob"));
    }

    [Fact]
    public async Task Policies_are_checked_and_their_sizes_count_together()
    {
        var admin = await house.NewAdministrator();
        await admin.Call("CreateUser", ("UserName", "bob"));
        Task<string> Put(string code, string document) => admin.Refused(code, "PutUserPolicy", ("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", document));
        Assert.StartsWith("The policy is not valid JSON: line 1", await Put("MalformedPolicyDocument", "{"));
        Assert.StartsWith("Statement 1: Effect is 'Perhaps'", await Put("MalformedPolicyDocument", IamClient.Policy("*", effect: "Perhaps")));
        await admin.Call("PutUserPolicy", ("UserName", "bob"), ("PolicyName", "first"), ("PolicyDocument", IamClient.Policy("iot:" + new string('a', 1500))));
        Assert.Equal("Maximum policy size of 2048 bytes exceeded for user bob", await Put("LimitExceeded", IamClient.Policy("iot:" + new string('a', 600))));
        await admin.Call("PutUserPolicy", ("UserName", "bob"), ("PolicyName", "first"), ("PolicyDocument", IamClient.Policy("iot:" + new string('a', 1500)) + new string(' ', 5000)));
        await admin.Refused("NoSuchEntity", "GetUserPolicy", ("UserName", "bob"), ("PolicyName", "p"));
    }

    [Fact]
    public async Task An_unsigned_form_gets_xml_and_an_unknown_action_its_name()
    {
        using var form = new FormUrlEncodedContent([new("Action", "GetUser"), new("Version", "2010-05-08")]);
        using var response = await house.Http.PostAsync(house.Address, form);
        Assert.Equal(403, (int)response.StatusCode);
        Assert.Equal("MissingAuthenticationToken", IamClient.Text(XElement.Parse(await response.Content.ReadAsStringAsync()), "Code"));
        await (await house.NewAdministrator()).Refused("InvalidAction", "CreateGroup", ("GroupName", "x"));
    }
}

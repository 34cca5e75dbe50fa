using System.Text.Json.Nodes;

namespace Althing.Tests.Iam;

/// <summary>The unmodified AWS CLI against <c>iam</c> and <c>sts</c>.</summary>
public sealed class AwsCliTests(IamHouse house) : IClassFixture<IamHouse>
{
    const string NoCli = "The AWS CLI is not installed (Debian: apt-get install awscli), so it was not tried.";

    [Fact]
    public async Task Users_keys_and_policies_are_made_and_read_by_the_cli()
    {
        Assert.SkipUnless(AwsCli.IsThere, NoCli);
        var admin = await house.NewAdministrator();
        var aws = new AwsCli(admin);
        var policy = IamClient.Policy("sts:*", "arn:aws:iam::*:role/a b+ü");

        var made = await aws.Run("iam", "create-user", "--user-name", "pump.operator");
        Assert.Equal(admin.UserArn("pump.operator"), made!["User"]!["Arn"]!.GetValue<string>());
        await aws.Run("iam", "put-user-policy", "--user-name", "pump.operator", "--policy-name", "rules", "--policy-document", policy);
        var read = await aws.Run("iam", "get-user-policy", "--user-name", "pump.operator", "--policy-name", "rules");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(policy), read!["PolicyDocument"]));
        Assert.Equal("rules", (await aws.Run("iam", "list-user-policies", "--user-name", "pump.operator"))!["PolicyNames"]![0]!.GetValue<string>());
        Assert.Contains("pump.operator", (await aws.Run("iam", "list-users", "--query", "Users[].UserName"))!.AsArray().Select(n => n!.GetValue<string>()));

        var key = (await aws.Run("iam", "create-access-key", "--user-name", "pump.operator"))!["AccessKey"]!;
        var operatorClient = admin with { KeyId = key["AccessKeyId"]!.GetValue<string>(), Secret = new(key["SecretAccessKey"]!.GetValue<string>()) };
        var identity = await new AwsCli(operatorClient).Run("sts", "get-caller-identity");
        Assert.Equal((admin.Account, admin.UserArn("pump.operator")), (identity!["Account"]!.GetValue<string>(), identity["Arn"]!.GetValue<string>()));
        var (code, _, errors) = await new AwsCli(operatorClient).Start("iam", "list-users");
        Assert.NotEqual(0, code);
        Assert.Contains($"An error occurred (AccessDenied) when calling the ListUsers operation: User: {admin.UserArn("pump.operator")} is not authorized to perform: iam:ListUsers", errors);

        await aws.Run("iam", "update-access-key", "--user-name", "pump.operator", "--access-key-id", operatorClient.KeyId, "--status", "Inactive");
        Assert.Equal("Inactive", (await aws.Run("iam", "list-access-keys", "--user-name", "pump.operator"))!["AccessKeyMetadata"]![0]!["Status"]!.GetValue<string>());
        Assert.Contains("(InvalidClientTokenId)", (await new AwsCli(operatorClient).Start("sts", "get-caller-identity")).Errors);
        Assert.Contains("(DeleteConflict)", (await aws.Start("iam", "delete-user", "--user-name", "pump.operator")).Errors);
        await aws.Run("iam", "delete-access-key", "--user-name", "pump.operator", "--access-key-id", operatorClient.KeyId);
        await aws.Run("iam", "delete-user-policy", "--user-name", "pump.operator", "--policy-name", "rules");
        await aws.Run("iam", "delete-user", "--user-name", "pump.operator");
        Assert.Contains("(NoSuchEntity)", (await aws.Start("iam", "get-user", "--user-name", "pump.operator")).Errors);
    }

    [Fact]
    public async Task Roles_are_made_and_assumed_by_the_cli()
    {
        Assert.SkipUnless(AwsCli.IsThere, NoCli);
        var admin = await house.NewAdministrator();
        var aws = new AwsCli(admin);
        var trust = IamClient.TrustOf($"arn:aws:iam::{admin.Account}:root");
        await aws.Run("iam", "create-role", "--role-name", "reader", "--assume-role-policy-document", trust, "--description", "Reads <all> & more", "--max-session-duration", "7200");
        await aws.Run("iam", "put-role-policy", "--role-name", "reader", "--policy-name", "p", "--policy-document", IamClient.Policy("iam:Get*"));
        var role = (await aws.Run("iam", "get-role", "--role-name", "reader"))!["Role"]!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(trust), role["AssumeRolePolicyDocument"]));
        Assert.Equal(("Reads <all> & more", 7200), (role["Description"]!.GetValue<string>(), role["MaxSessionDuration"]!.GetValue<int>()));

        var session = await aws.Run("sts", "assume-role", "--role-arn", admin.RoleArn("reader"), "--role-session-name", "night@shift", "--duration-seconds", "900");
        Assert.Equal($"arn:aws:sts::{admin.Account}:assumed-role/reader/night@shift", session!["AssumedRoleUser"]!["Arn"]!.GetValue<string>());
        var credentials = session["Credentials"]!;
        var reader = new AwsCli(admin with
        {
            KeyId = credentials["AccessKeyId"]!.GetValue<string>(),
            Secret = new(credentials["SecretAccessKey"]!.GetValue<string>()),
            Token = credentials["SessionToken"]!.GetValue<string>(),
        });
        Assert.Equal("reader", (await reader.Run("iam", "get-role", "--role-name", "reader"))!["Role"]!["RoleName"]!.GetValue<string>());
        Assert.Contains("(AccessDenied)", (await reader.Start("iam", "list-roles")).Errors);
        Assert.StartsWith("ASIA", (await aws.Run("sts", "get-session-token"))!["Credentials"]!["AccessKeyId"]!.GetValue<string>());

        await aws.Run("iam", "update-assume-role-policy", "--role-name", "reader", "--policy-document", IamClient.TrustOf("arn:aws:iam::111111111111:root"));
        Assert.Contains("(AccessDenied)", (await aws.Start("sts", "assume-role", "--role-arn", admin.RoleArn("reader"), "--role-session-name", "again")).Errors);
        await aws.Run("iam", "delete-role-policy", "--role-name", "reader", "--policy-name", "p");
        await aws.Run("iam", "delete-role", "--role-name", "reader");
        Assert.Empty((await aws.Run("iam", "list-roles"))!["Roles"]!.AsArray());
    }
}

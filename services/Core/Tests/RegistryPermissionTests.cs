using Althing.Api;
using Althing.Identity;

namespace Althing.Tests.Core;

/// <summary>Operations that name two resources, or one of two ways, are judged by all that they touch.</summary>
public sealed class RegistryPermissionTests
{
    static Caller User(SecurityAccount account, params string[] resources) => new()
    {
        Account = account.Id,
        Arn = $"arn:aws:iam::{account.Id}:user/u",
        UserId = "AIDAU",
        Kind = CallerKind.User,
        Region = "eu-west-1",
        Policies =
        [
            PolicyDocument.Parse(
                $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":[{{string.Join(',', resources.Select(r => $"\"{account.Arn(r)}\""))}}] } ]}""",
                PolicyKind.Identity),
        ],
    };

    static async Task<string?> Outcome(SecurityHouse house, Caller caller, string operation, object request)
    {
        try
        {
            await house.Call(caller, operation, request);
            return null;
        }
        catch (ServiceException refusal)
        {
            return refusal.Code;
        }
    }

    [Fact]
    public async Task A_membership_needs_the_right_to_both_ends_however_they_are_named()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var name in new[] { "mine", "other" })
        {
            await account.Call("CreateThing", new { thingName = name });
            await account.Call("CreateThingGroup", new { thingGroupName = name });
            await account.Call("CreateBillingGroup", new { billingGroupName = name });
        }
        var user = User(account, "thing/mine", "thinggroup/mine", "billinggroup/mine");
        var elsewhere = $"arn:aws:iot:us-east-1:{account.Id}:thing/";
        foreach (var (expected, thing, group) in new[] { (null, "mine", "mine"), ("AccessDeniedException", "mine", "other"), ("AccessDeniedException", "other", "mine") })
        {
            Assert.Equal(expected, await Outcome(house, user, "AddThingToThingGroup", new { thingName = thing, thingGroupName = group }));
            Assert.Equal(expected, await Outcome(house, user, "RemoveThingFromThingGroup", new { thingArn = elsewhere + thing, thingGroupArn = account.Arn("thinggroup/" + group) }));
            Assert.Equal(expected, await Outcome(house, user, "UpdateThingGroupsForThing", new { thingName = thing, thingGroupsToAdd = new[] { group } }));
            Assert.Equal(expected, await Outcome(house, user, "AddThingToBillingGroup", new { thingArn = elsewhere + thing, billingGroupName = group }));
        }
        // A name beside another resource's ARN does not smuggle that one in.
        Assert.NotNull(await Outcome(house, user, "AddThingToThingGroup", new { thingName = "mine", thingArn = account.Arn("thing/other"), thingGroupName = "mine" }));
        Assert.NotNull(await Outcome(house, user, "AddThingToThingGroup", new { thingName = "other", thingArn = account.Arn("thing/mine"), thingGroupName = "mine" }));
    }

    [Fact]
    public async Task What_is_made_in_a_group_needs_the_right_to_the_group()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var name in new[] { "mine", "other" })
        {
            await account.Call("CreateThingGroup", new { thingGroupName = name });
            await account.Call("CreateBillingGroup", new { billingGroupName = name });
        }
        var user = User(account, "thing/new*", "thinggroup/new*", "thinggroup/mine", "billinggroup/mine");
        Assert.Null(await Outcome(house, user, "CreateThing", new { thingName = "new1", billingGroupName = "mine" }));
        Assert.Equal("AccessDeniedException", await Outcome(house, user, "CreateThing", new { thingName = "new2", billingGroupName = "other" }));
        Assert.Null(await Outcome(house, user, "CreateThingGroup", new { thingGroupName = "new1", parentGroupName = "mine" }));
        Assert.Equal("AccessDeniedException", await Outcome(house, user, "CreateThingGroup", new { thingGroupName = "new2", parentGroupName = "other" }));
        Assert.Equal("AccessDeniedException", await Outcome(house, user, "ListThings", new { }));
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Core.Policies;
using Althing.Identity;

namespace Althing.Tests.Core;

/// <summary>Templates, and what RegisterThing makes of them.</summary>
public sealed class ProvisioningTemplateTests
{
    const string Role = "arn:aws:iam::000000000000:role/provisioning";

    const string Fleet = """
        {"Parameters":{"Serial":{"Type":"String"}},
         "Resources":{"thing":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":{"Ref":"Serial"}}},
                      "certificate":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":{"Ref":"AWS::IoT::Certificate::Id"}}}}}
        """;

    /// <summary>A template with one thing, whose properties a test gives.</summary>
    static string OfThing(string properties, string more = "", string sections = "") =>
        """{"Parameters":{"A":{"Type":"String"},"B":{"Type":"String","Default":"b,c"}}""" + sections
        + ""","Resources":{"thing":{"Type":"AWS::IoT::Thing","Properties":""" + properties + more + "}}}";

    static object Request(string body, params (string Name, string Value)[] parameters) =>
        new { templateBody = body, parameters = parameters.ToDictionary(p => p.Name, p => p.Value) };

    [Fact]
    public async Task Functions_put_values_together()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var body = OfThing("""
            {"ThingName":{"Fn::Join":["-",["x",{"Ref":"A"},{"Fn::Select":["1",{"Fn::Split":[",",{"Ref":"B"}]}]}]]},
             "AttributePayload":{"place":{"Fn::FindInMap":["Places",{"Ref":"A"},"town"]},"note":{"Fn::Sub":"${A}"},"sub":{"Fn::Sub":["${own}",{"own":{"Ref":"A"}}]}}}
            """, sections: """,  "Mappings":{"Places":{"a1":{"town":"Bergen"}}}""");
        var made = await account.Call("RegisterThing", Request(body, ("A", "a1")));
        Assert.Equal(account.Arn("thing/x-a1-c"), (string)made["resourceArns"]!["thing"]!);
        var thing = await account.Call("DescribeThing", new { thingName = "x-a1-c" });
        Assert.Equal("""{"place":"Bergen","note":"a1","sub":"a1"}""", thing["attributes"]!.ToJsonString());
        Assert.Contains("no value at 'a2'", (await account.Refused("RegisterThing", Request(body, ("A", "a2")))).Message, StringComparison.Ordinal);
        Assert.Contains("'A' is not given", (await account.Refused("RegisterThing", Request(body))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "no JSON object")]
    [InlineData("{", "not well-formed")]
    [InlineData("""{"Resources":{}}""", "no Resources")]
    [InlineData("""{"Resources":{"t":{"Type":"AWS::S3::Bucket","Properties":{}}}}""", "At Resources.t.Type")]
    [InlineData("""{"Resources":{"t":{"Type":"AWS::IoT::Thing","Properties":{}}}}""", "needs a ThingName")]
    [InlineData("""{"Resources":{"t":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":"x","Colour":"red"}}}}""", "no such property")]
    [InlineData("""{"Resources":{"t":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":{"Ref":"Nobody"}}}}}""", "'Nobody' is not declared")]
    [InlineData("""{"Resources":{"t":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":{"Fn::GetAtt":["a","b"]}}}}}""", "no such function")]
    [InlineData("""{"Resources":{"t":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":"x"}},"t":{}}}""", "not well-formed")]
    [InlineData("""{"Resources":{"t":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":"x"},"OverrideSettings":{"ThingTypeName":"MERGE"}}}}""", "MERGE is for")]
    [InlineData("""{"Resources":{"p":{"Type":"AWS::IoT::Policy","Properties":{"PolicyDocument":"{}"}}}}""", "At Resources.p.Properties.PolicyDocument")]
    [InlineData("""{"Resources":{"c":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":"a","CertificatePem":"b"}}}}""", "one of CertificateId")]
    [InlineData("""{"Parameters":{"A":{"Type":"Number"}},"Resources":{}}""", "At Parameters.A")]
    public async Task What_is_no_template_is_refused_with_the_place(string body, string why)
    {
        await using var house = new SecurityHouse();
        var refusal = await house.NewAccount().Refused("RegisterThing", Request(body));
        Assert.Equal("InvalidRequestException", refusal.Code);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_are_data_and_never_template_or_policy()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var body = OfThing("""{"ThingName":"t","AttributePayload":{"a":{"Ref":"A"}}}""");
        Assert.Contains("cannot be a attribute's value", (await account.Refused("RegisterThing", Request(body, ("A", """{"Ref":"B"}""")))).Message, StringComparison.Ordinal);
        var sub = OfThing("""{"ThingName":{"Fn::Sub":"${A}"}}""");
        Assert.Contains("'${B}' cannot be", (await account.Refused("RegisterThing", Request(sub, ("A", "${B}")))).Message, StringComparison.Ordinal);
        // A policy that is written as text: quotes in a value do not end the text that they stand in.
        const string policy = """
            {"Parameters":{"A":{"Type":"String"}},"Resources":{"policy":{"Type":"AWS::IoT::Policy","Properties":{"PolicyDocument":
            {"Fn::Sub":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":\"arn:aws:iot:eu-west-1:000000000000:topic/${A}/${!iot:ClientId}\"}]}"}}}}}
            """;
        var made = await account.Call("RegisterThing", Request(policy, ("A", "x\"},{\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"y")));
        var name = ((string)made["resourceArns"]!["policy"]!).Split('/')[1];
        var document = (string)(await account.Call("GetPolicy", new { policyName = name }))["policyDocument"]!;
        Assert.Single(JsonNode.Parse(document)!["Statement"]!.AsArray());
        Assert.Contains("${iot:ClientId}", document, StringComparison.Ordinal);
        Assert.Equal("iot:Publish", PolicyStore.Parse(document).Statements[0].Actions[0].ToString(), ignoreCase: true);
        Assert.Contains("must not contain", (await account.Refused("RegisterThing", Request(policy, ("A", "*")))).Message, StringComparison.Ordinal);
        Assert.Contains("must not contain", (await account.Refused("RegisterThing", Request(policy, ("A", "${iot:ClientId}")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_is_registered_whole_or_not_at_all_and_twice_is_once()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThingType", new { thingTypeName = "pump" });
        await account.Call("CreateThingGroup", new { thingGroupName = "hall" });
        await account.Call("CreateBillingGroup", new { billingGroupName = "bill" });
        var device = TestPki.SelfSigned("CN=d");
        var known = await account.Call("RegisterCertificateWithoutCA", new { certificatePem = device.ExportCertificatePem(), status = "INACTIVE" });
        var body = """
            {"Parameters":{"Name":{"Type":"String"},"Groups":{"Type":"String","Default":"hall"},"Id":{"Type":"String"}},"Resources":{
            "thing":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":{"Ref":"Name"},"ThingTypeName":"pump","ThingGroups":{"Fn::Split":[",",{"Ref":"Groups"}]},"BillingGroup":"bill","AttributePayload":{"v":"1"} }},
            "cert":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":{"Ref":"Id"},"Status":"Active"} },
            "policy":{"Type":"AWS::IoT::Policy","Properties":{"PolicyDocument":DOCUMENT} } } }
            """.Replace("DOCUMENT", SecurityAccount.Document("iot:Connect", "*"), StringComparison.Ordinal);
        var id = (string)known["certificateId"]!;
        // The second of two groups is not there: nothing is made.
        var refusal = await account.Refused("RegisterThing", Request(body, ("Name", "p1"), ("Groups", "hall,nowhere"), ("Id", id)));
        Assert.Equal("ResourceRegistrationFailureException", refusal.Code);
        Assert.Contains("nowhere", refusal.Message, StringComparison.Ordinal);
        await account.Refused("DescribeThing", new { thingName = "p1" });
        Assert.Empty((await account.Call("ListPolicies", new { }))["policies"]!.AsArray());
        Assert.Equal("INACTIVE", (string)(await account.Call("DescribeCertificate", new { certificateId = id }))["certificateDescription"]!["status"]!);

        var made = await account.Call("RegisterThing", Request(body, ("Name", "p1"), ("Id", id)));
        Assert.Equal(["cert", "policy", "thing"], made["resourceArns"]!.AsObject().Select(r => r.Key).Order());
        var again = await account.Call("RegisterThing", Request(body, ("Name", "p1"), ("Id", id)));
        Assert.Equal(made.ToJsonString(), again.ToJsonString());
        Assert.Equal(1, (int)(await account.Call("DescribeThing", new { thingName = "p1" }))["version"]!);
        Assert.Equal("ACTIVE", (string)(await account.Call("DescribeCertificate", new { certificateId = id }))["certificateDescription"]!["status"]!);
        Assert.Equal([(string)made["resourceArns"]!["cert"]!], (await account.Call("ListThingPrincipals", new { thingName = "p1" }))["principals"]!.AsArray().Select(p => (string)p!));
        Assert.Equal("hall", (string)(await account.Call("ListThingGroupsForThing", new { thingName = "p1" }))["thingGroups"]![0]!["groupName"]!);
        await house.Settled;
        Assert.NotNull(await account.Connect(new(device, id, ""), "p1"));
    }

    [Fact]
    public async Task A_signing_request_gives_a_certificate_in_the_same_write()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        const string body = """
            {"Parameters":{"CSR":{"Type":"String"}},"Resources":{"thing":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":"t"}},
            "certificate":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateSigningRequest":{"Ref":"CSR"},"Status":"INACTIVE"}}}}
            """;
        var made = await account.Call("RegisterThing", Request(body, ("CSR", TestPki.Request("CN=t"))));
        Assert.StartsWith("-----BEGIN CERTIFICATE", (string)made["certificatePem"]!, StringComparison.Ordinal);
        var id = ((string)made["resourceArns"]!["certificate"]!).Split('/')[1];
        Assert.Equal("INACTIVE", (string)(await account.Call("DescribeCertificate", new { certificateId = id }))["certificateDescription"]!["status"]!);
        Assert.Equal("InvalidRequestException", (await account.Refused("RegisterThing", Request(body, ("CSR", "nonsense")))).Code);
    }

    [Theory]
    [InlineData("FAIL", null, null)]
    [InlineData("DO_NOTHING", """{"a":"1","b":"2"}""", "one")]
    [InlineData("REPLACE", """{"a":"9"}""", "two")]
    [InlineData("MERGE", """{"a":"9","b":"2"}""", "one,two")]
    public async Task Override_settings_say_what_happens_to_a_thing_that_is_there(string setting, string? attributes, string? groups)
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThing", new { thingName = "t", attributePayload = new { attributes = new { a = "1", b = "2" } } });
        foreach (var group in new[] { "one", "two" })
            await account.Call("CreateThingGroup", new { thingGroupName = group });
        await account.Call("AddThingToThingGroup", new { thingName = "t", thingGroupName = "one" });
        var body = OfThing("""{"ThingName":"t","AttributePayload":{"a":"9"},"ThingGroups":["two"]}""", $$""", "OverrideSettings":{"AttributePayload":"{{setting}}","ThingGroups":"{{setting}}"}""");
        if (attributes is null)
        {
            var refusal = await account.Refused("RegisterThing", Request(body, ("A", "")));
            Assert.StartsWith("ResourceConflictsException", refusal.Message, StringComparison.Ordinal);
            return;
        }
        await account.Call("RegisterThing", Request(body, ("A", "")));
        Assert.Equal(attributes, (await account.Call("DescribeThing", new { thingName = "t" }))["attributes"]!.ToJsonString());
        var there = (await account.Call("ListThingGroupsForThing", new { thingName = "t" }))["thingGroups"]!.AsArray();
        Assert.Equal(groups, string.Join(',', there.Select(g => (string)g!["groupName"]!).Order()));
    }

    [Fact]
    public async Task A_template_has_versions_of_which_one_is_in_force()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var made = await account.Call("CreateProvisioningTemplate", new { templateName = "T", templateBody = Fleet, provisioningRoleArn = Role, enabled = true, tags = new[] { SecurityAccount.Tag("k", "v") } });
        Assert.Equal((account.Arn("provisioningtemplate/T"), 1), ((string)made["templateArn"]!, (int)made["defaultVersionId"]!));
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("CreateProvisioningTemplate", new { templateName = "T", templateBody = Fleet, provisioningRoleArn = Role })).Code);
        Assert.Equal("v", (string)(await account.Call("ListTagsForResource", new { resourceArn = account.Arn("provisioningtemplate/T") }))["tags"]![0]!["Value"]!);
        for (var version = 2; version <= 5; version++)
        {
            var next = await account.Call("CreateProvisioningTemplateVersion", new { templateName = "T", templateBody = Fleet + new string(' ', version), setAsDefault = version == 3 });
            Assert.Equal((version, version == 3), ((int)next["versionId"]!, (bool)next["isDefaultVersion"]!));
        }
        Assert.Equal("VersionsLimitExceededException", (await account.Refused("CreateProvisioningTemplateVersion", new { templateName = "T", templateBody = Fleet })).Code);
        Assert.Equal(Fleet + "   ", (string)(await account.Call("DescribeProvisioningTemplate", new { templateName = "T" }))["templateBody"]!);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeleteProvisioningTemplateVersion", new { templateName = "T", versionId = 3 })).Code);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeleteProvisioningTemplate", new { templateName = "T" })).Code);
        await account.Call("UpdateProvisioningTemplate", new { templateName = "T", defaultVersionId = 5, enabled = false, description = "new" });
        var now = await account.Call("DescribeProvisioningTemplate", new { templateName = "T" });
        Assert.Equal((5, false, "new", "FLEET_PROVISIONING"), ((int)now["defaultVersionId"]!, (bool)now["enabled"]!, (string)now["description"]!, (string)now["type"]!));
        foreach (var version in new[] { 1, 2, 3, 4 })
            await account.Call("DeleteProvisioningTemplateVersion", new { templateName = "T", versionId = version });
        Assert.Equal(5, (int)(await account.Call("ListProvisioningTemplateVersions", new { templateName = "T" }))["versions"]!.AsArray().Single()!["versionId"]!);
        await account.Call("DeleteProvisioningTemplate", new { templateName = "T" });
        Assert.Empty((await account.Call("ListProvisioningTemplates", new { }))["templates"]!.AsArray());
    }

    [Theory]
    [InlineData("FLEET_PROVISIONING", """{"Resources":{"thing":{"Type":"AWS::IoT::Thing","Properties":{"ThingName":"x"}}}}""", "needs an AWS::IoT::Certificate")]
    [InlineData("JITP", """{"Parameters":{"Serial":{"Type":"String"}},"Resources":{}}""", "just-in-time provisioning knows")]
    [InlineData("JITP", """{"DeviceConfiguration":{"a":"b"},"Resources":{"c":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":{"Ref":"AWS::IoT::Certificate::Id"}}}}}""", "for fleet provisioning only")]
    [InlineData("FLEET_PROVISIONING", """{"Parameters":{"P":{"Type":"String"}},"Resources":{"c":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":{"Ref":"AWS::IoT::Certificate::Id"}}},"p":{"Type":"AWS::IoT::Policy","Properties":{"PolicyDocument":{"Ref":"P"}}}}}""", "cannot bring its own policy")]
    public async Task A_template_must_fit_its_type(string type, string body, string why)
    {
        await using var house = new SecurityHouse();
        var refusal = await house.NewAccount().Refused("CreateProvisioningTemplate", new { templateName = "T", templateBody = body, provisioningRoleArn = Role, type });
        Assert.Equal("InvalidRequestException", refusal.Code);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_has_one_certificate_provider()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        string[] operations = ["CreateCertificateFromCsr"];
        await account.Call("CreateCertificateProvider", new { certificateProviderName = "mine", lambdaFunctionArn = "https://ca.example.com/sign", accountDefaultForOperations = operations });
        Assert.Equal("LimitExceededException", (await account.Refused("CreateCertificateProvider", new { certificateProviderName = "other", lambdaFunctionArn = "https://ca.example.com/sign", accountDefaultForOperations = operations })).Code);
        await account.Call("UpdateCertificateProvider", new { certificateProviderName = "mine", lambdaFunctionArn = "arn:aws:lambda:eu-west-1:000000000000:function:sign" });
        Assert.Equal("mine", (string)(await account.Call("ListCertificateProviders", new { }))["certificateProviders"]![0]!["certificateProviderName"]!);
        // A function cannot be run here: signing requests are refused, and not signed by somebody else.
        Assert.Contains("runs no functions", (await account.Refused("CreateCertificateFromCsr", new { certificateSigningRequest = TestPki.Request("CN=t") })).Message, StringComparison.Ordinal);
        await account.Call("DeleteCertificateProvider", new { certificateProviderName = "mine" });
        await account.Call("CreateCertificateFromCsr", new { certificateSigningRequest = TestPki.Request("CN=t") });
    }
}

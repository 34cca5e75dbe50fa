using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using System.Xml.Serialization;

namespace Althing.Api.Protocols;

/// <summary>
/// Shapes as XML. Lists stand in an element of the member's name with items called as <see cref="XmlArrayItemAttribute"/> says, or without
/// it where <see cref="XmlElementAttribute"/> gives the items' name. The root is called as <see cref="XmlRootAttribute"/> says. A member with
/// <see cref="XmlTextAttribute"/> is the element's own text.
/// </summary>
static class XmlShapes
{
    public static string RootOf(Type shape) => shape.GetCustomAttribute<XmlRootAttribute>()?.ElementName ?? shape.Name;

    /// <summary>Writes the members that travel in the body.</summary>
    public static void Write(XmlWriter xml, object shape, AwsApi api)
    {
        foreach (var member in MemberInfo.Of(shape.GetType(), api.Json).Where(m => m.Location is null))
        {
            if (member.Property.GetValue(shape) is not { } value)
                continue;
            if (member.Property.IsDefined(typeof(XmlTextAttribute), inherit: false))
                xml.WriteString((string)value);
            else if (value is not string && value is IEnumerable list)
                WriteList(xml, member, list, api);
            else
                WriteElement(xml, member.JsonName, value, api);
        }
    }

    static void WriteList(XmlWriter xml, MemberInfo member, IEnumerable list, AwsApi api)
    {
        if (FlatName(member) is { } flat)
        {
            foreach (var item in list)
                WriteElement(xml, flat, item, api);
            return;
        }
        xml.WriteStartElement(member.JsonName);
        foreach (var item in list)
            WriteElement(xml, ItemName(member), item, api);
        xml.WriteEndElement();
    }

    static void WriteElement(XmlWriter xml, string name, object value, AwsApi api)
    {
        xml.WriteStartElement(name);
        switch (value)
        {
            case string text:
                xml.WriteString(text);
                break;
            case bool truth:
                xml.WriteString(truth ? "true" : "false");
                break;
            case DateTimeOffset time:
                xml.WriteString(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
                break;
            case IConvertible number:
                xml.WriteString(number.ToString(CultureInfo.InvariantCulture));
                break;
            default:
                Write(xml, value, api);
                break;
        }
        xml.WriteEndElement();
    }

    /// <summary>Reads an element's children as the members of a shape.</summary>
    /// <exception cref="XmlException">There is one that the shape does not have.</exception>
    public static JsonObject Read(XElement element, Type shape, AwsApi api) => Read(element, shape, api, answer: false);

    /// <summary>
    /// The same of another platform's answer: what the shape does not have is passed over, and texts and lists that are not there are empty
    /// ones, because not all leave out the same.
    /// </summary>
    public static JsonObject ReadAnswer(XElement element, Type shape, AwsApi api) => Read(element, shape, api, answer: true);

    static JsonObject Read(XElement element, Type shape, AwsApi api, bool answer)
    {
        JsonObject members = [];
        var known = MemberInfo.Of(shape, api.Json).Where(m => m.Location is null).ToList();
        foreach (var child in element.Elements())
        {
            var name = child.Name.LocalName;
            if (known.FirstOrDefault(m => (FlatName(m) ?? m.JsonName) == name) is not { } member)
            {
                if (answer)
                    continue;
                throw new XmlException($"<{name}> in <{element.Name.LocalName}> is not known here.");
            }
            if (ElementType(member.Property.PropertyType) is not { } item)
                members[member.JsonName] = ReadValue(child, member, member.Property.PropertyType, api, answer);
            else if (FlatName(member) is not null)
                ((JsonArray)(members[member.JsonName] ??= new JsonArray())).Add(ReadValue(child, member, item, api, answer));
            else
                members[member.JsonName] = new JsonArray([.. child.Elements().Select(e => ReadValue(e, member, item, api, answer))]);
        }
        foreach (var left in answer ? known.Where(m => m.Required && !members.ContainsKey(m.JsonName)) : [])
        {
            if (left.Property.PropertyType == typeof(string))
                members[left.JsonName] = "";
            else if (ElementType(left.Property.PropertyType) is not null)
                members[left.JsonName] = new JsonArray();
        }
        return members;
    }

    static JsonNode? ReadValue(XElement element, MemberInfo member, Type declared, AwsApi api, bool answer)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (type == typeof(string))
            return element.Value;
        return type.IsPrimitive || type == typeof(DateTimeOffset) ? Binder.FromText(member, [element.Value.Trim()]) : Read(element, type, api, answer);
    }

    static string? FlatName(MemberInfo member) => member.Property.GetCustomAttribute<XmlElementAttribute>()?.ElementName;

    static string ItemName(MemberInfo member) => member.Property.GetCustomAttribute<XmlArrayItemAttribute>()?.ElementName ?? "member";

    static Type? ElementType(Type type) => type != typeof(string) && type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)) ? type.GetGenericArguments()[0] : null;
}

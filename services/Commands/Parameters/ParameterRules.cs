using System.Globalization;
using System.Text.Json.Nodes;
using Althing.Api;

namespace Althing.Commands.Parameters;

/// <summary>Which values a command's parameters may have, and how they look in a payload. Pure.</summary>
static class ParameterRules
{
    /// <summary>Checks what a command says of its parameters.</summary>
    /// <exception cref="ServiceException">ValidationException.</exception>
    public static void Check(IReadOnlyList<CommandParameter> parameters)
    {
        if (parameters.GroupBy(p => p.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw Refuse.Validation($"The parameter '{twice.Key}' is given twice.");
        foreach (var parameter in parameters)
        {
            foreach (var value in new[] { parameter.Value, parameter.DefaultValue }.OfType<CommandParameterValue>())
                CheckType(parameter, value);
            foreach (var condition in parameter.ValueConditions ?? [])
                CheckCondition(parameter, condition);
            foreach (var value in new[] { parameter.Value, parameter.DefaultValue }.OfType<CommandParameterValue>())
                CheckConditions(parameter, value);
        }
    }

    /// <summary>The values that a command is sent with: those given, else the defaults.</summary>
    /// <exception cref="ServiceException">ValidationException for one that is missing, unknown, of the wrong type or against a condition.</exception>
    public static IReadOnlyDictionary<string, CommandParameterValue> Resolve(IReadOnlyList<CommandParameter> parameters, IReadOnlyDictionary<string, CommandParameterValue>? given)
    {
        if (given?.Keys.FirstOrDefault(name => parameters.All(p => p.Name != name)) is { } unknown)
            throw Refuse.Validation($"The command has no parameter '{unknown}'. GetCommand shows those it has.");
        Dictionary<string, CommandParameterValue> resolved = new(StringComparer.Ordinal);
        foreach (var parameter in parameters)
        {
            var value = given?.GetValueOrDefault(parameter.Name) ?? parameter.Value ?? parameter.DefaultValue
                ?? throw Refuse.Validation($"The parameter '{parameter.Name}' has no default: give its value.");
            CheckType(parameter, value);
            CheckConditions(parameter, value);
            resolved[parameter.Name] = value;
        }
        return resolved;
    }

    static void CheckType(CommandParameter parameter, CommandParameterValue value)
    {
        var types = TypesOf(value).ToList();
        if (types.Count != 1)
            throw Refuse.Validation($"The value of '{parameter.Name}' must have exactly one of S, B, I, L, D, BIN and UL; it has {types.Count}.");
        if (parameter.Type is { } wanted && types[0] != wanted)
            throw Refuse.Validation($"The parameter '{parameter.Name}' is of type {wanted}; the value given is of type {types[0]}.");
        if (value.UL is { } text && !ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw Refuse.Validation($"'{text}' at '{parameter.Name}' is not an unsigned number of 64 bits.");
    }

    static IEnumerable<string> TypesOf(CommandParameterValue value)
    {
        if (value.S is not null)
            yield return "STRING";
        if (value.B is not null)
            yield return "BOOLEAN";
        if (value.I is not null)
            yield return "INTEGER";
        if (value.L is not null)
            yield return "LONG";
        if (value.D is not null)
            yield return "DOUBLE";
        if (value.BIN is not null)
            yield return "BINARY";
        if (value.UL is not null)
            yield return "UNSIGNEDLONG";
    }

    static void CheckCondition(CommandParameter parameter, CommandParameterValueCondition condition)
    {
        var operand = condition.Operand;
        var fits = condition.ComparisonOperator switch
        {
            "EQUALS" or "NOT_EQUALS" => operand is { Number: not null } or { String: not null },
            "IN_SET" or "NOT_IN_SET" => operand is { Numbers: not null } or { Strings: not null },
            "IN_RANGE" or "NOT_IN_RANGE" => operand.NumberRange is not null,
            _ => operand.Number is not null,
        };
        if (!fits)
            throw Refuse.Validation($"The condition {condition.ComparisonOperator} of '{parameter.Name}' has no operand that it can compare with.");
        var numbers = new[] { operand.Number, operand.NumberRange?.Min, operand.NumberRange?.Max }.OfType<string>().Concat(operand.Numbers ?? []);
        if (numbers.FirstOrDefault(n => NumberOf(n) is null) is { } wrong)
            throw Refuse.Validation($"'{wrong}' in a condition of '{parameter.Name}' is not a number.");
    }

    static void CheckConditions(CommandParameter parameter, CommandParameterValue value)
    {
        foreach (var condition in parameter.ValueConditions ?? [])
        {
            if (!Holds(condition, value))
                throw Refuse.Validation($"The value {TextOf(value)} of '{parameter.Name}' does not satisfy its condition {condition.ComparisonOperator}.");
        }
    }

    static bool Holds(CommandParameterValueCondition condition, CommandParameterValue value)
    {
        var operand = condition.Operand;
        if (value.S is { } text)
        {
            return condition.ComparisonOperator switch
            {
                "EQUALS" => operand.String == text,
                "NOT_EQUALS" => operand.String != text,
                "IN_SET" => operand.Strings?.Contains(text) is true,
                "NOT_IN_SET" => operand.Strings?.Contains(text) is not true,
                _ => false,
            };
        }
        if (NumberOf(value) is not { } number)
            return false;
        return condition.ComparisonOperator switch
        {
            "EQUALS" => number == NumberOf(operand.Number),
            "NOT_EQUALS" => number != NumberOf(operand.Number),
            "LESS_THAN" => number < NumberOf(operand.Number),
            "LESS_THAN_EQUALS" => number <= NumberOf(operand.Number),
            "GREATER_THAN" => number > NumberOf(operand.Number),
            "GREATER_THAN_EQUALS" => number >= NumberOf(operand.Number),
            "IN_SET" => operand.Numbers?.Any(n => NumberOf(n) == number) is true,
            "NOT_IN_SET" => operand.Numbers?.Any(n => NumberOf(n) == number) is not true,
            "IN_RANGE" => number >= NumberOf(operand.NumberRange?.Min) && number <= NumberOf(operand.NumberRange?.Max),
            _ => number < NumberOf(operand.NumberRange?.Min) || number > NumberOf(operand.NumberRange?.Max),
        };
    }

    static decimal? NumberOf(CommandParameterValue value) =>
        value.I ?? value.L ?? (value.UL is { } text ? NumberOf(text) : value.D is { } d && Math.Abs(d) < 7e27 ? (decimal)d : null);

    static decimal? NumberOf(string? text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    static string TextOf(CommandParameterValue value) => Json(value).ToJsonString();

    /// <summary>The value as JSON has it; bytes are Base64.</summary>
    public static JsonNode Json(CommandParameterValue value) =>
        value.S is { } text ? JsonValue.Create(text)
        : value.B is { } truth ? JsonValue.Create(truth)
        : value.I is { } whole ? JsonValue.Create(whole)
        : value.L is { } large ? JsonValue.Create(large)
        : value.D is { } number ? JsonValue.Create(number)
        : value.UL is { } unsigned ? JsonValue.Create(ulong.Parse(unsigned, NumberStyles.None, CultureInfo.InvariantCulture))
        : JsonValue.Create(Convert.ToBase64String(value.BIN ?? []));
}

using System.Text.Json.Serialization;
using Althing.Api;

namespace Althing.Commands.Parameters;

/// <summary>What is sent to the device as it is.</summary>
sealed record CommandPayload
{
    public byte[]? Content { get; init; }
    [Length(1)]
    public string? ContentType { get; init; }
}

/// <summary>How a payload template becomes a payload.</summary>
sealed record CommandPreprocessor
{
    public AwsJsonSubstitutionCommandPreprocessorConfig? AwsJsonSubstitution { get; init; }
}

sealed record AwsJsonSubstitutionCommandPreprocessorConfig
{
    [OneOf("JSON", "CBOR")]
    public required string OutputFormat { get; init; }
}

/// <summary>A value that is given when a command is sent.</summary>
sealed record CommandParameter
{
    [Length(1, 192), Pattern("^[.$a-zA-Z0-9_-]+$")]
    public required string Name { get; init; }
    [OneOf("STRING", "INTEGER", "DOUBLE", "LONG", "UNSIGNEDLONG", "BOOLEAN", "BINARY")]
    public string? Type { get; init; }

    /// <summary>Always this, whatever the caller gives.</summary>
    public CommandParameterValue? Value { get; init; }
    public CommandParameterValue? DefaultValue { get; init; }
    [Length(1)]
    public IReadOnlyList<CommandParameterValueCondition>? ValueConditions { get; init; }
    [Length(0, 2028), Pattern(CommandStore.TextPattern)]
    public string? Description { get; init; }
}

/// <summary>One value of one of seven types.</summary>
sealed record CommandParameterValue
{
    [JsonPropertyName("S"), Length(1)]
    public string? S { get; init; }
    [JsonPropertyName("B")]
    public bool? B { get; init; }
    [JsonPropertyName("I")]
    public int? I { get; init; }
    [JsonPropertyName("L")]
    public long? L { get; init; }
    [JsonPropertyName("D")]
    public double? D { get; init; }
    [JsonPropertyName("BIN"), Length(1)]
    public byte[]? BIN { get; init; }
    [JsonPropertyName("UL"), Length(1, 20), Pattern("^[0-9]*$")]
    public string? UL { get; init; }
}

/// <summary>What a value must be for the command to be sent.</summary>
sealed record CommandParameterValueCondition
{
    [OneOf("EQUALS", "NOT_EQUALS", "LESS_THAN", "LESS_THAN_EQUALS", "GREATER_THAN", "GREATER_THAN_EQUALS", "IN_SET", "NOT_IN_SET", "IN_RANGE", "NOT_IN_RANGE")]
    public required string ComparisonOperator { get; init; }
    public required CommandParameterValueComparisonOperand Operand { get; init; }
}

sealed record CommandParameterValueComparisonOperand
{
    [Length(1)]
    public string? Number { get; init; }
    [Length(1, 10), Each(LengthMin = 1)]
    public IReadOnlyList<string>? Numbers { get; init; }
    [Length(1)]
    public string? String { get; init; }
    [Length(1, 10), Each(LengthMin = 1)]
    public IReadOnlyList<string>? Strings { get; init; }
    public CommandParameterValueNumberRange? NumberRange { get; init; }
}

sealed record CommandParameterValueNumberRange
{
    [Length(1)]
    public required string Min { get; init; }
    [Length(1)]
    public required string Max { get; init; }
}

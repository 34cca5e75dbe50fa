namespace Althing.Storage;

/// <summary>The account that owns a row: twelve digits, as in an ARN. Every storage key begins with it.</summary>
public readonly record struct AccountId
{
    /// <summary>Rows that belong to the platform itself, such as the index from an access key to its account.</summary>
    public static readonly AccountId Platform = new("platform", checked_: true);

    readonly string? value;

    public AccountId(string value)
    {
        if (value is not { Length: 12 } || value.AsSpan().ContainsAnyExceptInRange('0', '9'))
            throw new FormatException($"'{value}' is not an account id: twelve digits are needed, for example 000000000000.");
        this.value = value;
    }

    AccountId(string value, bool checked_) => this.value = checked_ ? value : throw new FormatException();

    public string Value => value ?? throw new InvalidOperationException("An empty account id was used as a key.");

    /// <summary>Reads an account id back from a storage key, the platform's own included.</summary>
    public static AccountId FromStorage(string value) => value == "platform" ? Platform : new(value);

    public override string ToString() => Value;
}

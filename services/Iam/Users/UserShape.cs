using Althing.Identity;

namespace Althing.Iam.Users;

/// <summary>A user as answers show it; the model calls it User.</summary>
sealed record UserShape
{
    public required string Path { get; init; }
    public required string UserName { get; init; }
    public required string UserId { get; init; }
    public required string Arn { get; init; }
    public required DateTimeOffset CreateDate { get; init; }

    public static UserShape Of(User user) => new() { Path = user.Path, UserName = user.Name, UserId = user.Id, Arn = user.Arn, CreateDate = user.CreatedAt };
}

using Althing.Api;
using Althing.Identity;

namespace Althing.Iam.Sts;

/// <summary>Temporary credentials of the user who calls, with the same rights. No permission is needed, as at AWS.</summary>
[Operation<StsApi>]
sealed class GetSessionToken(IamStore iam, SigningKeys keys) : Operation<GetSessionTokenRequest, GetSessionTokenResponse>
{
    static readonly TimeSpan DurationDefault = TimeSpan.FromHours(12);

    protected override Permission Needs(GetSessionTokenRequest request, Caller caller) => Permission.None;

    protected override void Check(GetSessionTokenRequest request) => MultiFactor.Check(request.SerialNumber, request.TokenCode);

    protected override async ValueTask<GetSessionTokenResponse> Run(GetSessionTokenRequest request, Caller caller, CancellationToken cancel)
    {
        if (caller.Kind != CallerKind.User || caller.IsTemporary)
            throw Refuse.AccessDenied("Cannot call GetSessionToken with session credentials");
        var user = await iam.RequireUser(caller.Account, IamArns.UserName(null, caller), cancel);
        var duration = request.DurationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : DurationDefault;
        var (key, expires) = keys.CreateSession(user.Value, duration);
        return new() { Credentials = Credentials.Of(key, expires) };
    }
}

sealed record GetSessionTokenRequest
{
    [Range(900, 129600)]
    public int? DurationSeconds { get; init; }
    [Length(9, 256), Pattern(@"[\w+=/:,.@-]*")]
    public string? SerialNumber { get; init; }
    [Length(6, 6), Pattern(@"[\d]*")]
    public string? TokenCode { get; init; }
}

sealed record GetSessionTokenResponse
{
    public required Credentials Credentials { get; init; }
}

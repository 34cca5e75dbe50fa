using Althing.Api;
using Althing.Api.SigV4;
using Althing.Design;
using Althing.Identity;
using Althing.Storage;

namespace Althing.ObjectStore.Console;

/// <summary>Makes addresses of objects that need no signing in, with a user's rights: they are judged when the address is used.</summary>
sealed class PresignedLinks(IStore store, SigningKeys keys, TimeProvider time)
{
    /// <param name="platform">Where the browser found the console: it is where the object is, too.</param>
    /// <exception cref="ServiceException">NoSuchEntity: there is no such user any more.</exception>
    public async ValueTask<Uri> Make(ConsoleSession session, string userName, Uri platform, string bucket, string key, string? version, TimeSpan lifetime)
    {
        var user = await store.Get(User.Table, session.Account, User.KeyOf(userName), CancellationToken.None)
            ?? throw new ServiceException("NoSuchEntity", 404, $"There is no user '{userName}'.");
        var (temporary, _) = keys.CreateSession(user.Value, lifetime);
        var path = $"/{bucket}/{string.Join('/', key.Split('/').Select(Uri.EscapeDataString))}" + (version is null ? "" : $"?versionId={Uri.EscapeDataString(version)}");
        return new SigV4Signer(temporary.AccessKeyId, temporary.SecretAccessKey, session.Region, "s3", time, temporary.SessionToken)
            .Presign("GET", new Uri(platform, path), lifetime);
    }
}

using Althing.Core.CustomAuthorizers;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Authority;

/// <summary>
/// Watches over one connection that a custom authorizer let in: asks again when the answer is to be refreshed, and ends the connection
/// when its time is over or the function no longer knows the client.
/// </summary>
sealed class CustomUpkeep : IDisposable
{
    readonly ConnectedDevice device;
    readonly CustomPrincipal principal;
    readonly IStore store;
    readonly AuthorizerDesk desk;
    readonly RightsKeeper keeper;
    readonly ILogger logger;
    readonly ITimer refresh;
    readonly ITimer end;
    int disposed;

    public CustomUpkeep(
        ConnectedDevice device, CustomPrincipal principal, IStore store, AuthorizerDesk desk, RightsKeeper keeper, TimeProvider clock, ILogger logger)
    {
        (this.device, this.principal, this.store, this.desk, this.keeper, this.logger) = (device, principal, store, desk, keeper, logger);
        var answer = principal.Current.Answer;
        refresh = clock.CreateTimer(static me => _ = ((CustomUpkeep)me!).Refresh(), this, TimeSpan.FromSeconds(answer.RefreshSeconds), Timeout.InfiniteTimeSpan);
        end = clock.CreateTimer(static me => ((CustomUpkeep)me!).End(), this, TimeSpan.FromSeconds(answer.DisconnectSeconds), Timeout.InfiniteTimeSpan);
    }

    void End()
    {
        if (Volatile.Read(ref disposed) == 0)
            device.Revoke(Broker.RevocationCause.CustomAuthorizerTime);
    }

    async Task Refresh()
    {
        try
        {
            var row = await store.Get(Authorizer.Table, principal.Account, principal.AuthorizerName, CancellationToken.None);
            var answer = row?.Value is { Active: true } authorizer ? await desk.Ask(authorizer, principal.Input, CancellationToken.None) : null;
            if (Volatile.Read(ref disposed) != 0)
                return;
            if (answer is not { IsAuthenticated: true })
            {
                device.Revoke();
                return;
            }
            principal.Current.Answer = answer;
            if (await keeper.Renew(device, CancellationToken.None) && Volatile.Read(ref disposed) == 0)
                refresh.Change(TimeSpan.FromSeconds(answer.RefreshSeconds), Timeout.InfiniteTimeSpan);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // "If failures occur during custom authentication, AWS IoT Core terminates the connection."
            logger.LogWarning("Custom authentication of client {ClientId} in account {Account} could not be refreshed: {Why}", device.ClientId, principal.Account, failure.Message);
            device.Revoke();
        }
    }

    public void Dispose()
    {
        Volatile.Write(ref disposed, 1);
        refresh.Dispose();
        end.Dispose();
    }
}

namespace Althing.Tests.ObjectStore;

/// <summary>The same clients at a platform that keeps its objects at another one: they must not notice.</summary>
public sealed class ForwardedObjectClientTests : ObjectClientTests, IAsyncDisposable
{
    TwoHouses? houses;

    private protected override async Task<House> Up()
    {
        houses = await TwoHouses.Up();
        return houses.Front;
    }

    private protected override string[] Blobs(House house)
    {
        Assert.Empty(base.Blobs(house));
        return base.Blobs(houses!.Store);
    }

    public async ValueTask DisposeAsync()
    {
        if (houses is not null)
            await houses.Store.DisposeAsync();
    }
}

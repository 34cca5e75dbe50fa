using Althing.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Tests.Api;

public sealed class FirstStartTests
{
    [Fact]
    public async Task An_empty_folder_gets_an_account_and_a_second_start_finds_it()
    {
        await using var house = new ToyHouse();
        await house.InitializeAsync();
        var start = house.Services.GetRequiredService<FirstStart>();
        Assert.Equal(FirstStart.DefaultAccount, await start.Run(house.Folder, null, null, default));
        var credentials = await File.ReadAllTextAsync(Path.Combine(house.Folder, "credentials"));
        Assert.Equal(FirstStart.DefaultAccount, await start.Run(house.Folder, null, null, default));
        Assert.Equal(credentials, await File.ReadAllTextAsync(Path.Combine(house.Folder, "credentials")));
        await Assert.ThrowsAsync<InvalidOperationException>(() => start.Run(house.Folder, new("123456789012"), null, default));
    }
}

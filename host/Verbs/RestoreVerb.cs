using System.Globalization;
using Althing.Storage;

namespace Althing.Host.Verbs;

/// <summary><c>althing restore</c>: a data folder from a backup.</summary>
sealed class RestoreVerb : Verb
{
    public override string Name => "restore";
    public override string Summary => "Make an empty data folder what it was at a backup";
    public override IReadOnlyList<string> Usage => ["FILE"];
    public override int WordsMax => 1;
    public override IReadOnlyList<Option> Options => [DataFolder.Option, DataFolder.PostgreSql];

    public override async Task<int> Run(Arguments arguments)
    {
        if (arguments.Words is not [var file])
            throw Misused();
        var options = DataFolder.Storage(arguments);
        var manifest = await Backup.Restore(file, options, CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{options.Folder} is as it was at {manifest.Taken:yyyy-MM-dd HH:mm:ss} UTC. Start it with 'althing up'."));
        return 0;
    }
}

using System.Globalization;
using Althing.Storage;

namespace Althing.Host.Verbs;

/// <summary><c>althing backup</c>: everything in one file, while the platform runs or not.</summary>
sealed class BackupVerb : Verb
{
    public override string Name => "backup";
    public override string Summary => "Copy everything into one file, while the platform runs or not";
    public override IReadOnlyList<string> Usage => ["FILE"];
    public override int WordsMax => 1;
    public override IReadOnlyList<Option> Options => [DataFolder.Option, DataFolder.PostgreSql];

    public override async Task<int> Run(Arguments arguments)
    {
        if (arguments.Words is not [var file])
            throw Misused();
        var manifest = await Backup.Write(DataFolder.Storage(arguments), file, TimeProvider.System, CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFullPath(file)} has all that was acknowledged until {manifest.Taken:yyyy-MM-dd HH:mm:ss} UTC."));
        Console.WriteLine("It has the platform's keys, too: keep it as safe as the data folder.");
        return 0;
    }
}

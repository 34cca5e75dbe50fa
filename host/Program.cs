using Althing.Cluster;
using Althing.Host;
using Althing.Host.Verbs;
using Althing.Iam.Administration;
using Althing.Storage;
using Althing.Storage.Engines;

// The command line as a table of contents: each verb is a class in Verbs/.
Verb[] verbs =
[
    new Up(),
    new KeyVerb(),
    new AccountVerb(),
    new MqttUserVerb(),
    new PubVerb(),
    new SubVerb(),
    new BackupVerb(),
    new RestoreVerb(),
    new ShowVersion(),
];

try
{
    return args switch
    {
        [] or ["--help" or "-h" or "help"] => Help.Print(verbs),
        [var name, "--help" or "-h"] => Help.Print(Verb.Find(verbs, name)),
        [var name, .. var rest] => await Verb.Find(verbs, name).Run(Arguments.Read(rest, Verb.Find(verbs, name))),
    };
}
catch (UsageException usage)
{
    await Console.Error.WriteLineAsync($"althing: {usage.Message}");
    return 2;
}
catch (Exception known) when (known is DataFolderInUseException or StorageVersionException or BackupException or FailedException or AdministrationException or ClusterException)
{
    await Console.Error.WriteLineAsync($"althing: {known.Message}");
    return 1;
}

using System.Xml.Linq;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Althing.Cluster;

/// <summary>The keys of console sessions, in the database: who signed in at one node is signed in at all.</summary>
sealed class SharedKeyRing(IStore store, MasterKey master) : IXmlRepository, IConfigureOptions<KeyManagementOptions>
{
    const string Purpose = "console keys that nodes share";

    sealed record RingKey(string Name, byte[] Sealed)
    {
        public static readonly Table<RingKey> Table = new("cluster-console-keys", k => (AccountId.Platform, k.Name));
    }

    public void Configure(KeyManagementOptions options) => options.XmlRepository = this;

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        var rows = store.Scan(RingKey.Table, AccountId.Platform, Scan.All, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return [.. from row in rows
                   let opened = master.Open(Purpose, row.Value.Sealed)
                   where opened is not null
                   select XElement.Parse(System.Text.Encoding.UTF8.GetString(opened))];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        var box = master.Seal(Purpose, System.Text.Encoding.UTF8.GetBytes(element.ToString()));
        store.Commit(new Batch().Put(RingKey.Table, new RingKey(friendlyName, box)), CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }
}

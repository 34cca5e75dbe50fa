using Althing.Bench;

// Each benchmark prints ratios against a peer or against itself at another size, measured in the same run.
Dictionary<string, (string Summary, Func<Task> Run)> all = new(StringComparer.Ordinal)
{
    ["broker"] = ("Authorized publish to delivery over plain MQTT, beside mosquitto and nats-server", BrokerTable.Run),
    ["broker-tls"] = ("The same over mutual TLS", BrokerTable.RunEncrypted),
    ["nodes"] = ("Two nodes of a quarter of a core each on one PostgreSQL (ALTHING_BENCH_POSTGRES), beside one", Nodes.Run),
    ["idle"] = ("Memory and CPU of 10 000 idle connections (or ALTHING_BENCH_CONNECTIONS), plain and mutual TLS, beside the peers", Idle.Run),
    ["handshakes"] = ("Mutual-TLS connects a second, beside the peers", Handshakes.Run),
    ["offline"] = ("Messages of QoS 1 acknowledged for sessions that are away, beside nats-server", Offline.Run),
    ["recovery"] = ("A start on a log of 2 GB (or ALTHING_BENCH_LOG_MB megabytes), beside cat of the same files", Recovery.Run),
    ["shadows"] = ("Shadow updates beside plain durable rows, their latency, and their cost with 100 000 shadows", Shadows.Run),
    ["streams"] = ("A file to 100 devices (or ALTHING_BENCH_DEVICES) by MQTT file delivery, beside GETs of the object", Streams.Run),
    ["scale"] = ("Registry and CONNECT at 1 000 and at 100 000 things (or ALTHING_BENCH_THINGS)", Scale.Run),
    ["start"] = ("Time to ready on an empty folder, and resident memory", Startup.Run),
};

if (args is ["--help" or "-h"] || (args.Length > 0 && !all.ContainsKey(args[0])))
{
    foreach (var (name, (summary, _)) in all)
        Console.WriteLine($"  {name,-12}{summary}");
    return args is ["--help" or "-h"] ? 0 : 2;
}
foreach (var name in args.Length > 0 ? args : [.. all.Keys])
{
    Console.WriteLine($"== {name}: {all[name].Summary}");
    await all[name].Run();
}
return 0;

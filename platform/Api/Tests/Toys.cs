using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Tests.Api;

/// <summary>A small API in REST-JSON, for the door's own tests.</summary>
public sealed class ToyRest : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "toy",
        Protocol = WireProtocol.RestJson,
        SigningNames = ["toy"],
        HostPrefixes = ["toys"],
        BodyBytesMax = 64 * 1024,
        Invalid = m => new("InvalidRequestException", 400, m),
        Throttled = () => new("ThrottlingException", 400, "Too many."),
    };
}

/// <summary>Shares its signing name with <see cref="ToyRest"/>, as the control and data planes of one service do.</summary>
public sealed class ToyData : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "toy-data",
        Protocol = WireProtocol.RestJson,
        SigningNames = ["toydata", "toy"],
        Invalid = m => new("InvalidRequestException", 400, m),
    };
}

public sealed class ToyJson : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "toy-json",
        Protocol = WireProtocol.AwsJson10,
        SigningNames = ["toyjson"],
        TargetPrefix = "ToyService",
        Invalid = m => new("ValidationException", 400, m),
    };
}

public sealed class ToyQuery : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "toy-query",
        Protocol = WireProtocol.AwsQuery,
        SigningNames = ["toyquery"],
        QueryVersion = "2020-01-01",
        XmlNamespace = "https://toy.example.com/doc/2020-01-01/",
        Json = WireJson.AsDeclared,
        Invalid = m => new("ValidationError", 400, m),
    };
}

sealed record Toy
{
    public static readonly Table<Toy> Table = new("toys", t => (t.Account, t.Name));

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public int? Size { get; init; }
}

[Operation<ToyRest>("PUT /toys/{toyName}")]
sealed class PutToy(IStore store) : Operation<PutToyRequest, PutToyResponse>
{
    protected override Permission Needs(PutToyRequest request, Caller caller) => new("toy:PutToy", caller.ArnOf("toy", $"toy/{request.ToyName}"));

    protected override async ValueTask<PutToyResponse> Run(PutToyRequest request, Caller caller, CancellationToken cancel)
    {
        if (request.ToyName == "broken")
            throw new InvalidOperationException("A secret of the inside.");
        var toy = new Toy { Account = caller.Account, Name = request.ToyName, Size = request.Size };
        if (request.ClientToken is not null)
            await store.Commit(new Batch().Add(Toy.Table, toy), cancel);
        else
            await store.Commit(new Batch().Put(Toy.Table, toy), cancel);
        return new() { ToyName = request.ToyName, ToyArn = caller.ArnOf("toy", $"toy/{request.ToyName}"), Made = DateTimeOffset.UnixEpoch.AddMilliseconds(1500) };
    }
}

sealed record PutToyRequest
{
    [Label, Length(1, 128), Pattern("[a-zA-Z0-9:_ /.☃-]+")]
    public required string ToyName { get; init; }
    [Range(1, 10)]
    public int? Size { get; init; }
    [OneOf("RED", "BLUE")]
    public string? Colour { get; init; }
    public string? Password { get; init; }
    [Each(LengthMax = 4)]
    public IReadOnlyList<string>? Labels { get; init; }
    public PutToyPart? Part { get; init; }
    [IdempotencyToken, Length(1, 64)]
    public string? ClientToken { get; init; }
}

sealed record PutToyPart
{
    public required string Name { get; init; }
    public PutToyPart? Part { get; init; }
}

sealed record PutToyResponse
{
    public required string ToyName { get; init; }
    public required string ToyArn { get; init; }
    public DateTimeOffset? Made { get; init; }
    public string? Missing { get; init; }
}

[Operation<ToyRest>("GET /toys/{toyName}")]
sealed class DescribeToy(IStore store) : Operation<DescribeToyRequest, DescribeToyResponse>
{
    protected override Permission Needs(DescribeToyRequest request, Caller caller) => new("toy:DescribeToy", caller.ArnOf("toy", $"toy/{request.ToyName}"));

    protected override async ValueTask<DescribeToyResponse> Run(DescribeToyRequest request, Caller caller, CancellationToken cancel) =>
        await store.Get(Toy.Table, caller.Account, request.ToyName, cancel) is { } row
            ? new() { Name = row.Value.Name, Size = row.Value.Size, Verbose = request.Verbose, Tag = request.Tag }
            : throw new ServiceException("ResourceNotFoundException", 404, $"There is no toy '{request.ToyName}'.", ("resourceId", request.ToyName));
}

sealed record DescribeToyRequest
{
    [Label]
    public required string ToyName { get; init; }
    [Query("verbose")]
    public bool? Verbose { get; init; }
    [Header("x-toy-tag")]
    public string? Tag { get; init; }
}

sealed record DescribeToyResponse
{
    public required string Name { get; init; }
    public int? Size { get; init; }
    public bool? Verbose { get; init; }
    [Header("x-toy-tag")]
    public string? Tag { get; init; }
}

[Operation<ToyRest>("DELETE /toys/{toyName}", Status = 204)]
sealed class DeleteToy(IStore store) : Operation<DescribeToyRequest, EmptyResponse>
{
    protected override Permission Needs(DescribeToyRequest request, Caller caller) => new("toy:DeleteToy", caller.ArnOf("toy", $"toy/{request.ToyName}"));

    protected override async ValueTask<EmptyResponse> Run(DescribeToyRequest request, Caller caller, CancellationToken cancel)
    {
        await store.Commit(new Batch().Delete<Toy>(Toy.Table, caller.Account, request.ToyName), cancel);
        return EmptyResponse.Instance;
    }
}

[Operation<ToyData>("POST /echo/{path+}", ReadOnly = true)]
sealed class Echo : Operation<EchoRequest, EchoResponse>
{
    protected override Permission Needs(EchoRequest request, Caller caller) => Permission.None;

    protected override ValueTask<EchoResponse> Run(EchoRequest request, Caller caller, CancellationToken cancel) =>
        ValueTask.FromResult(new EchoResponse { Body = request.Body, Path = Uri.EscapeDataString(request.Path), Status = 202 });
}

sealed record EchoRequest
{
    [Label]
    public required string Path { get; init; }
    [Payload]
    public byte[]? Body { get; init; }
}

sealed record EchoResponse
{
    [Payload]
    public byte[]? Body { get; init; }
    [Header("x-toy-path")]
    public string? Path { get; init; }
    [StatusCode]
    public int Status { get; init; }
}

[Operation<ToyJson>(ReadOnly = true)]
sealed class CountToys(IStore store) : Operation<CountToysRequest, CountToysResponse>
{
    protected override Permission Needs(CountToysRequest request, Caller caller) => new("toy:CountToys");

    protected override async ValueTask<CountToysResponse> Run(CountToysRequest request, Caller caller, CancellationToken cancel) =>
        new() { Count = await store.Count(Toy.Table, caller.Account, Scan.Under(request.Prefix ?? ""), cancel) };
}

sealed record CountToysRequest
{
    public string? Prefix { get; init; }
}

sealed record CountToysResponse
{
    public required long Count { get; init; }
}

[Operation<ToyQuery>(ReadOnly = true)]
sealed class ListParts : Operation<ListPartsRequest, ListPartsResponse>
{
    protected override Permission Needs(ListPartsRequest request, Caller caller) => Permission.None;

    protected override ValueTask<ListPartsResponse> Run(ListPartsRequest request, Caller caller, CancellationToken cancel) => request.Name == "refused"
        ? throw new ServiceException("NoSuchEntity", 404, "No \u0001 such <toy>.")
        : ValueTask.FromResult(new ListPartsResponse
        {
            Names = request.Names ?? [],
            Keys = [.. (request.Tags ?? []).Select(t => $"{t.Key}={t.Value}")],
            Until = DateTimeOffset.UnixEpoch,
            Big = (request.Number ?? 0) > 5,
        });
}

sealed record ListPartsRequest
{
    public string? Name { get; init; }
    public int? Number { get; init; }
    public IReadOnlyList<string>? Names { get; init; }
    public IReadOnlyList<ToyTag>? Tags { get; init; }
}

sealed record ToyTag
{
    public required string Key { get; init; }
    public string? Value { get; init; }
}

sealed record ListPartsResponse
{
    public required IReadOnlyList<string> Names { get; init; }
    public required IReadOnlyList<string> Keys { get; init; }
    public DateTimeOffset Until { get; init; }
    public bool Big { get; init; }
}

using System.Net.Http.Headers;

namespace Althing.Core.CustomAuthorizers;

/// <summary>Calls the functions of authorizers, and those of provisioning, over HTTP.</summary>
sealed class AuthorizerFunctions : IDisposable
{
    /// <summary>"The Lambda function timeout limit for custom authorizer is 5 seconds".</summary>
    static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(5);

    /// <summary>Ten documents of 2048 characters, generously formatted.</summary>
    const int AnswerBytesMax = 256 * 1024;

    /// <summary>Calls under way at once; further clients wait their turn, each no longer than a call may take.</summary>
    const int CallsMax = 256;

    static readonly TimeSpan AddressLifetime = TimeSpan.FromMinutes(2);

    readonly SemaphoreSlim turns = new(CallsMax);
    readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = AddressLifetime })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = AnswerBytesMax,
    };
    readonly TimeProvider clock;

    public AuthorizerFunctions(TimeProvider clock) => this.clock = clock;

    /// <exception cref="AuthorizerFailure">There is no such function, it did not answer in time, or with an error.</exception>
    public async ValueTask<AuthorizerAnswer> Call(Authorizer authorizer, byte[] request, CancellationToken cancel) =>
        AuthorizerAnswer.Read(await Invoke(authorizer.Function, request, cancel));

    /// <summary>Calls any function with JSON, and answers its JSON.</summary>
    /// <param name="function">The ARN of a function, or an address: see <see cref="FunctionAddress"/>.</param>
    /// <exception cref="AuthorizerFailure">There is no such function, it did not answer in time, or with an error.</exception>
    public async ValueTask<byte[]> Invoke(string function, byte[] request, CancellationToken cancel)
    {
        var address = FunctionAddress.UriOf(function)
            ?? throw new AuthorizerFailure($"'{function}' cannot be called: this platform runs no functions yet. Give an https:// address instead.");
        using var patience = new CancellationTokenSource(TimeMax, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try
        {
            await turns.WaitAsync(both.Token);
            try
            {
                return await Post(address, request, both.Token);
            }
            finally
            {
                turns.Release();
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new AuthorizerFailure($"The function at {address.Authority} did not answer within {TimeMax.TotalSeconds} seconds.");
        }
        catch (HttpRequestException failure)
        {
            throw new AuthorizerFailure($"The function at {address.Authority} could not be called: {failure.Message}");
        }
    }

    async Task<byte[]> Post(Uri address, byte[] request, CancellationToken cancel)
    {
        using var content = new ByteArrayContent(request) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await http.PostAsync(address, content, cancel);
        return response.IsSuccessStatusCode
            ? await response.Content.ReadAsByteArrayAsync(cancel)
            : throw new AuthorizerFailure($"The function at {address.Authority} answered with status {(int)response.StatusCode}.");
    }

    public void Dispose()
    {
        http.Dispose();
        turns.Dispose();
    }
}

using Althing.Identity;
using Althing.Storage;

namespace Althing.Api;

/// <summary>What the front door knows of an operation whatever its shapes. Derive from <see cref="Operation{TRequest,TResponse}"/>.</summary>
public abstract class Operation
{
    internal Operation() { }

    internal abstract Type RequestType { get; }
    internal abstract Type ResponseType { get; }
    internal abstract Permission PermissionFor(object request, Caller caller);
    internal abstract void CheckFor(object request);
    internal abstract ValueTask<object> Execute(object request, Caller caller, CancellationToken cancel);
}

/// <summary>One operation of an API: what it needs, what it checks, what it does. One class, one file, named as in the model.</summary>
/// <remarks>
/// The front door authenticates, binds and checks the shapes' constraints before <see cref="Needs"/>, <see cref="Check"/> and
/// <see cref="Run"/> are called in this order. Instances are shared by all calls: keep no state but injected services.
/// </remarks>
public abstract class Operation<TRequest, TResponse> : Operation where TRequest : class where TResponse : class
{
    /// <summary>How often a decision is made anew when somebody else wrote what it was based on.</summary>
    const int AttemptsMax = 20;

    internal sealed override Type RequestType => typeof(TRequest);
    internal sealed override Type ResponseType => typeof(TResponse);

    /// <summary>The permission that the caller must have for this request.</summary>
    protected abstract Permission Needs(TRequest request, Caller caller);

    /// <summary>What attributes cannot say, decided from the request alone.</summary>
    protected virtual void Check(TRequest request) { }

    /// <summary>
    /// Does the work. Reads, decides and commits; when a commit meets a <see cref="StorageConflictException"/>, all of it runs again, so
    /// nothing outside storage may be touched before the commit.
    /// </summary>
    protected abstract ValueTask<TResponse> Run(TRequest request, Caller caller, CancellationToken cancel);

    internal sealed override Permission PermissionFor(object request, Caller caller) => Needs((TRequest)request, caller);

    internal sealed override void CheckFor(object request) => Check((TRequest)request);

    internal sealed override async ValueTask<object> Execute(object request, Caller caller, CancellationToken cancel)
    {
        var typed = (TRequest)request;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Run(typed, caller, cancel);
            }
            catch (StorageConflictException) when (attempt < AttemptsMax)
            {
                // Somebody else wrote first; what they wrote may change the answer.
            }
        }
    }
}

/// <summary>The answer of operations that have none: an empty JSON object or body.</summary>
public sealed record EmptyResponse
{
    public static EmptyResponse Instance { get; } = new();
}

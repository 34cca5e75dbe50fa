namespace Althing.Broker;

/// <summary>Goes through something large again and again, a part of it each time: ten thousand clients are not all looked at every second.</summary>
/// <param name="all">Read while it changes: what comes or goes meanwhile may be missed until the next round.</param>
sealed class PartialRounds<T>(IEnumerable<T> all, Action<T> visit)
{
    /// <summary>Calls that a round of many takes.</summary>
    const int Parts = 4;

    /// <summary>As many at each call in any case, so that few are all visited at each.</summary>
    const int AtOnceMin = 1000;

    IEnumerator<T>? round;
    int visited;
    int visitedBefore;

    public void GoOn()
    {
        round ??= all.GetEnumerator();
        // Where there are suddenly many more, each part is as large as all before it together.
        for (var left = Math.Max(AtOnceMin, Math.Max(visited, (visitedBefore + Parts - 1) / Parts)); left > 0; left--)
        {
            if (!round.MoveNext())
            {
                round.Dispose();
                (round, visitedBefore, visited) = (null, visited, 0);
                return;
            }
            visited++;
            visit(round.Current);
        }
    }
}

/** Runs asynchronous work over a list, a bounded number of items at a time. */

/** Rejects with the first failure; items that have not begun by then are left. */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  // One iterator for all runners: each item is taken by exactly one of them.
  const run = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, run))
}

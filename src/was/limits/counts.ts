/** What limits have done in this process, by their names: for metrics. */

export interface LimitCounts {
  readonly name: string
  /** Requests that went on at once. */
  passed: number
  /** Requests that waited first. */
  delayed: number
  /** Requests that got 429. */
  refused: number
  /** Requests that would have, in a dry run. */
  wouldRefuse: number
}

const byName = new Map<string, LimitCounts>()

/** Limits of one name count together. */
export function countsOf(name: string): LimitCounts {
  let counts = byName.get(name)
  if (counts === undefined) {
    counts = { name, passed: 0, delayed: 0, refused: 0, wouldRefuse: 0 }
    byName.set(name, counts)
  }
  return counts
}

/** Of all limits that there are. */
export function limitCounts(): readonly Readonly<LimitCounts>[] {
  return [...byName.values()]
}

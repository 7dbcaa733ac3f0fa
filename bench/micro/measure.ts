/** Interleaved rounds of functions in one process: each runs once a round, in turn, every other round in reverse. */

export interface Contestant {
  readonly name: string
  /** One operation. What it returns is looked at, so that no compiler can leave it out. */
  readonly run: () => unknown
}

export interface MeasureOptions {
  readonly rounds: number
  /** How long a contestant runs in a round. */
  readonly ms: number
}

/** Nanoseconds of one operation by contestant, one number a round. */
export type Samples = ReadonlyMap<string, number[]>

/** Longer than V8 takes to compile what runs often. */
const WARM_MS = 400

export function measure(
  contestants: readonly Contestant[],
  { rounds, ms }: MeasureOptions,
): Samples {
  const samples = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  const loops = contestants.map(({ run }) => ({ loop: createLoop(), run }))
  const counts = loops.map((one) => countFor(one, ms))
  for (let round = 0; round < rounds; round++) {
    const order = contestants.map((_, i) => (round % 2 === 0 ? i : contestants.length - 1 - i))
    for (const i of order) {
      const { loop, run } = loops[i] as (typeof loops)[number]
      const count = counts[i] as number
      samples.get((contestants[i] as Contestant).name)?.push((loop(run, count) * 1e6) / count)
    }
  }
  return samples
}

type Loop = (run: () => unknown, count: number) => number

/** Every contestant has a loop of its own, whose call V8 can compile for just this one. */
function createLoop(): Loop {
  return new Function(
    'run',
    'count',
    `let seen = 0
    const from = performance.now()
    for (let i = 0; i < count; i++) if (run() !== undefined) seen++
    const ms = performance.now() - from
    if (seen !== count) throw new Error('an operation gave nothing')
    return ms`,
  ) as Loop
}

/** Warms up, and says how many operations take `ms`. */
function countFor({ loop, run }: { loop: Loop; run: () => unknown }, ms: number): number {
  let count = 1
  let spent = 0
  let last = 0
  while (spent < WARM_MS) {
    last = loop(run, count)
    spent += last
    if (last < 10) count *= 2
  }
  return Math.max(1, Math.round((count * ms) / Math.max(last, 0.001)))
}

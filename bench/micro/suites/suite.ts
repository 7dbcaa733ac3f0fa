/** What a suite is: pairs of contestants that do the same work, uwas first. */
import type { Contestant } from '../measure.ts'

export interface Benchmark {
  readonly name: string
  /** uwas, and those that it is compared with. */
  readonly contestants: readonly Contestant[]
  /** By contestant, how many times as fast as it uwas shall be; DESIGN has the numbers. */
  readonly targets?: Readonly<Record<string, number>>
}

/** Throws unless all contestants give the same, each seen through `view`. */
export function sameResults(
  contestants: readonly Contestant[],
  view: (result: unknown) => string,
): void {
  const [first, ...others] = contestants
  const wanted = view(first?.run())
  for (const { name, run } of others) {
    const found = view(run())
    if (found === wanted) continue
    const at = [...wanted].findIndex((char, i) => char !== found[i])
    const near = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 30), at + 30))
    throw new Error(`${name} gives ${near(found)} where ${first?.name} gives ${near(wanted)}`)
  }
}

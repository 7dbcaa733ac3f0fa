/** Two series of costs → which is dearer, where the noise allows to say so. Used by `compare`. */
import { ofGroups, ofPairs } from '../method/rank.ts'
import { median } from '../method/statistics.ts'
import { ofProcesses } from './figures.ts'
import type { Run, ScenarioResult } from './result.ts'

/** One verdict in a hundred about equal builds is wrong. */
export const CONFIDENCE = 0.99
/** Starts of a pair that the confidence needs: all of fewer may agree by chance. */
export const LEAST_PAIRS = 8

/**
 * Less than this is no difference, however sure: between builds, a hundredth is beyond what one start's luck with memory
 * and compilers allows; between two runs, neither the starts' luck nor the hour is in the rounds; counts of instructions
 * of one build differ by half a hundredth, and by nearly two where a database has its own pace.
 */
export const MARGIN = { builds: 0.01, runs: 0.03, counts: 0.02 }

export type Judgement = 'B is dearer' | 'B is cheaper' | 'no difference shown' | 'too few values'

export interface Verdict {
  readonly judgement: Judgement
  /** B's cost in times of A's. */
  readonly ratio: number
  /** The interval of the ratio; NaN where there are too few values. */
  readonly low: number
  readonly high: number
}

/** `pairs`: the ratio B to A of each start, which both were measured in. */
export function judgePairs(pairs: readonly number[], margin = MARGIN.builds): Verdict {
  return judge(ofPairs(pairs.map(Math.log), CONFIDENCE), margin)
}

/** Instructions, which no noise is in: one count of each is enough. */
export function judgeCounts(a: number, b: number): Pick<Verdict, 'judgement' | 'ratio'> {
  const ratio = b / a
  const isBeyond = Math.abs(Math.log(ratio)) > Math.log(1 + MARGIN.counts)
  const judgement = ratio > 1 ? 'B is dearer' : 'B is cheaper'
  return { judgement: isBeyond ? judgement : 'no difference shown', ratio }
}

/** Costs measured at different times. */
export function judgeGroups(
  a: readonly number[],
  b: readonly number[],
  margin = MARGIN.runs,
): Verdict {
  return judge(ofGroups(a.map(Math.log), b.map(Math.log), CONFIDENCE), margin)
}

function judge({ middle, low, high }: ReturnType<typeof ofPairs>, margin: number): Verdict {
  const ratio = Math.exp(middle)
  if (low === undefined || high === undefined) {
    return { judgement: 'too few values', ratio, low: Number.NaN, high: Number.NaN }
  }
  const isBeyond = Math.abs(middle) > Math.log(1 + margin)
  const judgement =
    isBeyond && low > 0
      ? 'B is dearer'
      : isBeyond && high < 0
        ? 'B is cheaper'
        : 'no difference shown'
  return { judgement, ratio, low: Math.exp(low), high: Math.exp(high) }
}

export interface RunVerdict extends Verdict {
  readonly scenario: string
  /** Servers whose cost in the same round stands for what the machine gave in that hour. */
  readonly controls: readonly string[]
}

/** uwas in two runs, in the scenarios that both have. */
export function judgeRuns(a: Run, b: Run): RunVerdict[] {
  return a.scenarios.flatMap((one) => {
    const other = b.scenarios.find(({ name }) => name === one.name)
    if (other === undefined) return []
    const controls = controlsOf(one, other)
    const verdict = judgeGroups(relative(one, controls), relative(other, controls))
    return [{ scenario: one.name, controls, ...verdict }]
  })
}

/** Rivals that are the same in both. */
function controlsOf(a: ScenarioResult, b: ScenarioResult): string[] {
  return a.rivals.slice(1).flatMap(({ name, version }) => {
    const other = b.rivals.find((rival) => rival.name === name)
    return other?.version === version ? [name] : []
  })
}

/** The costs of uwas a round, in times of the controls' median in that round. */
function relative({ rivals }: ScenarioResult, controls: readonly string[]): number[] {
  const others = rivals.filter(({ name }) => controls.includes(name))
  const own = rivals[0]?.samples ?? []
  return own.map((sample, round) => {
    const costs = others.flatMap(({ samples }) =>
      samples.slice(round, round + 1).map(ofProcesses.of),
    )
    return ofProcesses.of(sample) / (costs.length === 0 ? 1 : median(costs))
  })
}

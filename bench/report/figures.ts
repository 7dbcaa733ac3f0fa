/** The figures of a scenario that tables and charts show, made of the samples. */

import type { Sample } from '../method/rounds.ts'
import { median, ratios, type Spread, spread } from '../method/statistics.ts'
import type { RivalResult, ScenarioResult } from './result.ts'

const MIB = 1024 * 1024

export interface Figure {
  readonly title: string
  /** What a longer bar says. */
  readonly better: 'lower' | 'higher'
  readonly digits: number
  of(sample: Sample): number
}

export const core: Figure = {
  title: 'core µs/req',
  better: 'lower',
  digits: 2,
  of: (sample) => sample.coreMicros,
}

const processes: Figure = {
  title: 'process µs/req',
  better: 'lower',
  digits: 2,
  of: (sample) => sample.processMicros,
}

const database: Figure = {
  title: 'database µs/req',
  better: 'lower',
  digits: 2,
  of: (sample) => sample.databaseMicros,
}

const perSecond: Figure = {
  title: 'req/s',
  better: 'higher',
  digits: 0,
  of: ({ requests, seconds }) => requests / seconds,
}

const latency: Figure = {
  title: 'p99 ms, full load',
  better: 'lower',
  digits: 2,
  of: (sample) => sample.latencyMs.p99,
}

const memory: Figure = {
  title: 'PSS MiB',
  better: 'lower',
  digits: 1,
  of: (sample) => sample.pssMib,
}

export function throughput({ bodyBytes }: ScenarioResult): Figure {
  return {
    title: 'MiB/s',
    better: 'higher',
    digits: 0,
    of: (sample) => (perSecond.of(sample) * bodyBytes) / MIB,
  }
}

export function figuresOf(scenario: ScenarioResult): readonly Figure[] {
  return [
    core,
    processes,
    ...(scenario.reads ? [database] : []),
    perSecond,
    ...(scenario.throughput ? [throughput(scenario)] : []),
    latency,
    memory,
  ]
}

export function spreadOf({ samples }: RivalResult, figure: Figure): Spread {
  return spread(samples.map(figure.of))
}

/** Processes and database together: what counts where other work ran on the core. */
export const ofProcesses: Figure = {
  title: 'process and database µs/req',
  better: 'lower',
  digits: 2,
  of: ({ processMicros, databaseMicros }) => processMicros + databaseMicros,
}

/** The ratio to uwas: the median of those within a round, with the smallest and the largest. */
export function ratioOf(scenario: ScenarioResult, rival: RivalResult, figure: Figure): Spread {
  const own = scenario.rivals[0]?.samples ?? []
  return spread(ratios(rival.samples.map(figure.of), own.map(figure.of)))
}

export function errorsOf({ samples }: RivalResult): number {
  return samples.reduce((sum, { errors }) => sum + errors, 0)
}

/** Names of the best of each family: by requests a second where throughput counts, otherwise by CPU. */
export function peersOf(
  isThroughput: boolean,
  rivals: readonly Pick<RivalResult, 'name' | 'family' | 'samples'>[],
): ReadonlySet<string> {
  const best = new Map<string, { name: string; cost: number }>()
  for (const { name, family, samples } of rivals) {
    if (family === undefined) continue
    const cost = isThroughput ? -median(samples.map(perSecond.of)) : median(samples.map(core.of))
    if (cost < (best.get(family)?.cost ?? Number.POSITIVE_INFINITY))
      best.set(family, { name, cost })
  }
  return new Set([...best.values()].map(({ name }) => name))
}

export function format(value: number, digits: number): string {
  if (!Number.isFinite(value)) return '–'
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return value.toLocaleString('en', options)
}

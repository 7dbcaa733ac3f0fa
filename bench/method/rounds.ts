/** Interleaved rounds: each rival once a round, in turn, so that the machine's drift hits all alike. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from '../rivals/rival.ts'
import { coreBusyMs, processMs } from './cpu.ts'
import { type LoadPlan, type LoadResult, load } from './load.ts'
import { pssMib } from './memory.ts'

export interface Contestant {
  readonly name: string
  readonly plan: LoadPlan
  readonly running: Running
}

export interface Sample extends LoadResult {
  /** Microseconds of the serving core per request, whatever ran on it. */
  readonly coreMicros: number
  /** The same from the books of the serving processes alone. */
  readonly processMicros: number
  /** Proportional set size of the serving processes at the end of the round. */
  readonly pssMib: number
}

export interface RoundOptions {
  readonly rounds: number
  readonly seconds: number
  readonly serveCpu: number
  readonly loadCpu: number
}

/** Work after the start (variants built in the background) is waited for as long as this. */
const SETTLE_MS = 120_000

/** Samples by contestant, one a round. The order turns around every other round. */
export async function runRounds(
  contestants: readonly Contestant[],
  options: RoundOptions,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]))
  await settled(contestants)
  for (const { plan } of contestants) {
    await load(plan, options.loadCpu, Math.min(2, options.seconds))
  }
  await settled(contestants)
  for (let round = 0; round < options.rounds; round++) {
    const order = round % 2 === 0 ? contestants : [...contestants].reverse()
    for (const contestant of order) {
      await sleep(200)
      samples.get(contestant.name)?.push(await measure(contestant, options))
    }
  }
  return samples
}

/** Waits until no contestant computes: what one does in the background would count for all. */
async function settled(contestants: readonly Contestant[]): Promise<void> {
  const pids = contestants.flatMap(({ running }) => running.pids)
  const until = Date.now() + SETTLE_MS
  for (let before = Number.NaN; Date.now() < until; ) {
    const now = processMs(pids)
    if (now - before <= 10) return
    before = now
    await sleep(500)
  }
  console.log('a server still computes without requests; the numbers contain that')
}

async function measure({ plan, running }: Contestant, options: RoundOptions): Promise<Sample> {
  const core = coreBusyMs(options.serveCpu)
  const own = processMs(running.pids)
  const result = await load(plan, options.loadCpu, options.seconds)
  const perRequest = (ms: number): number => (ms * 1000) / result.requests
  return {
    ...result,
    coreMicros: perRequest(coreBusyMs(options.serveCpu) - core),
    processMicros: perRequest(processMs(running.pids) - own),
    pssMib: pssMib(running.pids),
  }
}

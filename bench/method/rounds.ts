/** Interleaved rounds: each rival once a round, in turn, so that the machine's drift hits all alike. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from '../rivals/rival.ts'
import type { Cores } from './cores.ts'
import { coresBusyMs, processMs } from './cpu.ts'
import { type LoadPlan, type LoadResult, load } from './load.ts'
import { pssMib } from './memory.ts'

export interface Contestant {
  readonly name: string
  readonly plan: LoadPlan
  readonly running: Running
  /** Milliseconds that the database has run; 0 where there is none. */
  databaseMs(): number
}

export interface Sample extends LoadResult {
  /** Microseconds of the serving cores per request, whatever ran on them. */
  readonly coreMicros: number
  /** The same from the books of the serving processes alone. */
  readonly processMicros: number
  /** The same of the database's processes; 0 where there is none. */
  readonly databaseMicros: number
  /** Part of the time in which the load generator's cores were busy, with whatever. */
  readonly loadBusy?: number
  /** Proportional set size of the serving processes at the end of the round. */
  readonly pssMib: number
}

export interface RoundOptions {
  readonly rounds: number
  readonly seconds: number
  readonly cores: Cores
}

/** Work after the start (variants built in the background) is waited for as long as this. */
const SETTLE_MS = 120_000

export interface Measured {
  /** By contestant, one a round. */
  readonly samples: Map<string, Sample[]>
  /** All requests answered, those before the first round among them. */
  readonly requests: ReadonlyMap<string, number>
}

/** The order turns around every other round. */
export async function runRounds(
  contestants: readonly Contestant[],
  options: RoundOptions,
): Promise<Measured> {
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]))
  const requests = new Map<string, number>()
  await settled(contestants)
  for (const { name, plan } of contestants) {
    const warm = await load(plan, options.cores, Math.min(2, options.seconds))
    requests.set(name, warm.requests)
  }
  await settled(contestants)
  for (let round = 0; round < options.rounds; round++) {
    const order = round % 2 === 0 ? contestants : [...contestants].reverse()
    for (const contestant of order) {
      await sleep(200)
      const sample = await measure(contestant, options)
      samples.get(contestant.name)?.push(sample)
      requests.set(contestant.name, (requests.get(contestant.name) ?? 0) + sample.requests)
    }
  }
  return { samples, requests }
}

/** Waits until no contestant computes: what one does in the background would count for all. */
function settled(contestants: readonly Contestant[]): Promise<void> {
  return settledPids(contestants.flatMap(({ running }) => running.pids))
}

export async function settledPids(pids: readonly number[]): Promise<void> {
  const until = Date.now() + SETTLE_MS
  for (let before = Number.NaN; Date.now() < until; ) {
    const now = processMs(pids)
    if (now - before <= 10) return
    before = now
    await sleep(500)
  }
  console.log('a server still computes without requests; the numbers contain that')
}

async function measure(contestant: Contestant, options: RoundOptions): Promise<Sample> {
  const { plan, running, databaseMs } = contestant
  const { serve, load: loadCores } = options.cores
  const core = coresBusyMs(serve)
  const own = processMs(running.pids)
  const database = databaseMs()
  const loading = coresBusyMs(loadCores)
  const result = await load(plan, options.cores, options.seconds)
  const perRequest = (ms: number): number => (ms * 1000) / result.requests
  return {
    ...result,
    coreMicros: perRequest(coresBusyMs(serve) - core),
    processMicros: perRequest(processMs(running.pids) - own),
    databaseMicros: perRequest(databaseMs() - database),
    loadBusy: (coresBusyMs(loadCores) - loading) / (result.seconds * 1000 * loadCores.length),
    pssMib: pssMib(running.pids),
  }
}

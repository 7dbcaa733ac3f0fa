/** The load, on cores of its own: wrk, or autocannon where that is not here. The next request follows each answer. */
import type { Scenario } from '../scenarios/scenario.ts'
import { hasAutocannon, loadByAutocannon } from './autocannon.ts'
import type { Cores } from './cores.ts'
import { hasWrk, loadByWrk } from './wrk.ts'

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly errors: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

/** What has to be sent. */
export interface LoadPlan {
  /** `http://host:port` */
  readonly origin: string
  /** Asked for in turn. */
  readonly paths: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly connections: number
  /** Requests sent at once on a connection. */
  readonly pipelined: number | undefined
  /** A folder for scripts. */
  readonly scratch: string
}

export type Generator = 'wrk' | 'autocannon'

let found: Generator | undefined

/** The better one of those that are here. */
export function generator(): Generator | undefined {
  found ??= hasWrk() ? 'wrk' : hasAutocannon() ? 'autocannon' : undefined
  return found
}

export function missingLoad(): string | undefined {
  return generator() === undefined
    ? 'wrk is not here: apt-get install wrk (or, slower by far, autocannon: npm --prefix bench ci)'
    : undefined
}

/** What should be known of the generator before its figures are read. */
export function doubtsOfLoad(): string[] {
  if (generator() !== 'autocannon') return []
  return [
    'wrk is not here (apt-get install wrk): autocannon makes the load. It is JavaScript, one thread, and at its end with some 30,000 ' +
      'requests a second, far below what small answers allow: read the CPU per request, and neither requests a second nor latencies, ' +
      'which are its own and whole milliseconds',
  ]
}

/** Why a scenario cannot be loaded here, or undefined. */
export function whyNoLoad({ closes }: Scenario): string | undefined {
  return closes === true && generator() === 'autocannon'
    ? 'autocannon takes the end of a connection for an error: it needs wrk'
    : undefined
}

export function planLoad(
  scenario: Scenario,
  origin: string,
  headers: Readonly<Record<string, string>>,
  scratch: string,
): LoadPlan {
  const { paths, connections, pipelined } = scenario
  return { origin, paths, headers, connections, pipelined, scratch }
}

/** Loads for `seconds`; answers outside 2xx and 3xx, and broken connections, are errors. */
export async function load(plan: LoadPlan, cores: Cores, seconds: number): Promise<LoadResult> {
  return generator() === 'autocannon'
    ? await loadByAutocannon(plan, cores.load, seconds)
    : await loadByWrk(plan, cores.load, seconds)
}

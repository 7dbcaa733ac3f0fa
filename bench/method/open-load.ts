/**
 * Load at a fixed rate: `open-load/load.c`, compiled when it is needed. wrk sends the next request after an answer, so a
 * server that stops for a second is asked less in that second; here the requests that were due then count as late.
 */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Scenario } from '../scenarios/scenario.ts'
import { listOf } from './cores.ts'

const SOURCE = fileURLToPath(new URL('open-load/load.c', import.meta.url))

export interface OpenResult {
  /** Answered. */
  readonly requests: number
  /** Statuses outside 2xx and 3xx, broken connections, and what was not answered within ten seconds after the end. */
  readonly errors: number
  readonly seconds: number
  /** Milliseconds from when a request was due. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly most: number
  /** Milliseconds by which the generator itself was late with 99 in 100, though a connection was free. */
  readonly lag99: number
  /** Part of the time in which the generator had work. */
  readonly busy: number
}

/** Beyond either the generator is the limit, and not the server. */
const MOST_LAG_MS = 1
const MOST_BUSY = 0.9

export function missingOpenLoad(): string | undefined {
  return spawnSync('cc', ['--version']).error === undefined
    ? undefined
    : 'there is no C compiler for the load at fixed rates: apt-get install gcc'
}

/** Its path. */
export function buildOpenLoad(scratch: string): string {
  const binary = join(scratch, 'open-load')
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', binary, SOURCE])
  return binary
}

export interface OpenPlan {
  readonly binary: string
  readonly port: number
  readonly connections: number
  /** File of the requests in turn. */
  readonly requests: string
}

/** Why a scenario's answers cannot be timed one by one, or undefined. */
export function whyNotOpen(scenario: Scenario): string | undefined {
  if (scenario.pipelined !== undefined) return 'its requests come sixteen at once'
  return scenario.closes ? 'each of its requests comes on a connection of its own' : undefined
}

export function planOpenLoad(
  binary: string,
  scenario: Scenario,
  origin: string,
  headers: Readonly<Record<string, string>>,
  scratch: string,
): OpenPlan {
  const { host, port } = new URL(origin)
  const fields = Object.entries({ Host: host, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  const requests = join(scratch, 'requests')
  const texts = scenario.paths.map((path) => `GET ${path} HTTP/1.1\r\n${fields}\r\n`)
  writeFileSync(requests, texts.join(''))
  return { binary, port: Number(port), connections: scenario.connections, requests }
}

export async function openLoad(
  { binary, port, connections, requests }: OpenPlan,
  cores: readonly number[],
  rate: number,
  seconds: number,
): Promise<OpenResult> {
  const load = [binary, String(port), String(rate), String(seconds), String(connections), requests]
  const { stdout } = await promisify(execFile)('taskset', ['-c', listOf(cores), ...load])
  return JSON.parse(stdout)
}

/** One request, byte for byte, and what its answer has to be. */
export interface WatchedRequest {
  readonly text: string
  readonly status: number
  /** Of the body; undefined: any. */
  readonly bytes?: number
  /** It may be sent again where a connection that was kept alive has closed meanwhile (RFC 9112 section 9.3.1). */
  readonly repeats: boolean
}

/** What went wrong, told at once. */
export interface LoadEvent {
  /** `retried` and `idle-closed` are no failed requests. */
  readonly kind:
    | 'refused'
    | 'no-connection'
    | 'reset'
    | 'closed'
    | 'malformed'
    | 'timeout'
    | 'status'
    | 'length'
    | 'retried'
    | 'idle-closed'
  /** Milliseconds of the wall's clock. */
  readonly at: number
  /** Address and port of the client's end. */
  readonly from: string
  /** When its connection was opened, and when the request was sent. */
  readonly opened: number
  readonly sent: number
  /** Its number; -1: none was on its way. */
  readonly request: number
  /** Of the answer, as far as it came. */
  readonly status: number
  readonly bytes: number
}

export interface WatchResult extends OpenResult {
  readonly sent: number
  readonly retried: number
  /** Connections that were opened. */
  readonly opened: number
}

export interface Watching {
  /** Ends it once what has been sent is answered. */
  stop(): void
  readonly result: Promise<WatchResult>
}

/** Requests in turn at a fixed rate; what goes wrong is told as it does, and every answer has ten seconds. */
export function watchLoad(
  plan: {
    readonly binary: string
    readonly port: number
    readonly connections: number
    readonly requests: readonly WatchedRequest[]
    /** Where its files are written to: their names begin so. */
    readonly stem: string
  },
  rate: number,
  seconds: number,
  tell: (event: LoadEvent) => void,
): Watching {
  const { binary, port, connections, requests, stem } = plan
  const lines = requests.map(
    ({ text, status, bytes = -1, repeats }) =>
      `${Buffer.byteLength(text)} ${status} ${bytes} ${repeats ? 1 : 0}\n`,
  )
  writeFileSync(`${stem}.requests`, requests.map(({ text }) => text).join(''))
  writeFileSync(`${stem}.expected`, lines.join(''))
  const numbers = [port, rate, seconds, connections].map(String)
  const child = spawn(binary, [...numbers, `${stem}.requests`, `${stem}.expected`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const result = new Promise<WatchResult>((resolve, reject) => {
    let last: WatchResult | undefined
    const all = createInterface({ input: child.stdout })
    all.on('line', (line) => {
      const parsed = JSON.parse(line)
      if ('kind' in parsed) tell(parsed)
      else last = parsed
    })
    child.once('error', reject)
    all.once('close', () => {
      if (last === undefined) reject(new Error('the load generator ended without a result'))
      else resolve(last)
    })
  })
  return { stop: () => child.kill('SIGTERM'), result }
}

/** In words, where the figures are those of the generator. */
export function generatorLimit({ lag99, busy }: OpenResult): string | undefined {
  if (lag99 > MOST_LAG_MS) return `the load generator was up to ${lag99.toFixed(1)} ms late`
  return busy > MOST_BUSY
    ? `the load generator had no pause (${(100 * busy).toFixed(0)} % busy)`
    : undefined
}

/** One soak: the server, its clients and what disturbs it. Called by `commands/soak.ts`; the report is made of what it returns. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  buildOpenLoad,
  type LoadEvent,
  type WatchedRequest,
  type Watching,
  type WatchResult,
  watchLoad,
} from '../method/open-load.ts'
import { disturb } from './disturb.ts'
import { type Disturbance, type Incident, type Judged, judgeAll } from './ledger.ts'
import type { SoakPlan } from './plan.ts'
import { type MemorySample, nativeHeapKib, processesOf, sampleMemory } from './processes.ts'
import { type SoakRequests, soakRequests } from './requests.ts'
import { SoakSite } from './site.ts'
import { openStreams } from './streams.ts'

/** Of ten requests one comes on a connection of its own. */
const FRESH_PART = 0.1
const CONNECTIONS = 64
/** The engine closes what says nothing for ten seconds, by a clock of four; see README.md. */
const IDLE_SECONDS = 6
/** Within it each has been asked. */
const ROUND_MS = 8000
/** Fewer find room in what the server has allocated already. */
const LEAST_WEIGHED = 1000
const STREAMS = 4
const SAMPLE_MS = 3000
/** For old workers, which have ten seconds for what they have begun. */
const LEFT_MS = 20_000
/** Far beyond any end: the load is told when to stop. */
const EVER_SECONDS = 3600

export interface IdleCost {
  readonly connections: number
  /** What the server has allocated for one outside of JavaScript, in KiB; undefined where they are too few to be weighed. */
  readonly kib: number | undefined
}

export interface SoakOutcome {
  readonly startedAt: number
  readonly endedAt: number
  readonly loads: Readonly<Record<string, WatchResult>>
  readonly streamMessages: number
  readonly disturbances: readonly Disturbance[]
  readonly incidents: readonly Judged[]
  readonly samples: readonly MemorySample[]
  readonly idle: IdleCost | undefined
  /** Processes that are neither the supervisor nor one of its workers, long after the end. */
  readonly leftOver: number
  /** Lines of the server's log that are errors. */
  readonly errors: readonly string[]
  /** Why `uwas stop` did not end it; undefined where it did. */
  readonly stopProblem: string | undefined
}

export async function soak(plan: SoakPlan, say: (line: string) => void): Promise<SoakOutcome> {
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-soak-load-'))
  let site: SoakSite | undefined
  try {
    const binary = buildOpenLoad(scratch)
    say('starting the server and its database')
    site = await SoakSite.start(plan.workers)
    const requests = await soakRequests(site.origin)
    const outcome = await new Soak(site, plan, binary, scratch, requests, say).run()
    say('stopping')
    return { ...outcome, stopProblem: await site.end() }
  } finally {
    await site?.end()
    rmSync(scratch, { recursive: true, force: true })
  }
}

class Soak {
  readonly #site: SoakSite
  readonly #plan: SoakPlan
  readonly #binary: string
  readonly #scratch: string
  readonly #requests: SoakRequests
  readonly #say: (line: string) => void
  readonly #incidents: Incident[]
  readonly #disturbances: Disturbance[]
  readonly #samples: MemorySample[]

  constructor(
    site: SoakSite,
    plan: SoakPlan,
    binary: string,
    scratch: string,
    requests: SoakRequests,
    say: (line: string) => void,
  ) {
    this.#site = site
    this.#plan = plan
    this.#binary = binary
    this.#scratch = scratch
    this.#requests = requests
    this.#say = say
    this.#incidents = []
    this.#disturbances = []
    this.#samples = []
  }

  async run(): Promise<Omit<SoakOutcome, 'stopProblem'>> {
    const { rate, idle: idleCount } = this.#plan
    const { kept, fresh } = this.#requests
    const idle = idleCount > 0 ? await this.#openIdle() : undefined
    const startedAt = Date.now()
    const loads: Record<string, Watching> = {
      kept: this.#load('kept', kept, CONNECTIONS, rate * (1 - FRESH_PART)),
      fresh: this.#load('fresh', fresh, CONNECTIONS, rate * FRESH_PART),
      ...(idle !== undefined && { idle: idle.load }),
    }
    const streams = openStreams(this.#site.origin, STREAMS, (one) => this.#incidents.push(one))
    const sampling = setInterval(() => this.#sample(), SAMPLE_MS)
    try {
      await this.#disturbUntil(startedAt + this.#plan.minutes * 60_000)
      clearInterval(sampling)
      for (const { stop } of Object.values(loads)) stop()
      const results = await Promise.all(
        Object.entries(loads).map(async ([name, { result }]) => [name, await result] as const),
      )
      const endedAt = Date.now()
      streams.stop()
      return {
        startedAt,
        endedAt,
        loads: Object.fromEntries(results),
        streamMessages: streams.count(),
        disturbances: this.#disturbances,
        incidents: judgeAll(this.#incidents, this.#disturbances),
        samples: this.#samples,
        idle: idle?.cost,
        leftOver: await this.#leftOver(),
        errors: this.#site
          .log()
          .split('\n')
          .filter((line) => line.includes('error:')),
      }
    } finally {
      for (const { stop } of Object.values(loads)) stop()
      streams.stop()
      clearInterval(sampling)
    }
  }

  #load(
    client: 'kept' | 'fresh' | 'idle',
    requests: readonly WatchedRequest[],
    connections: number,
    rate: number,
  ): Watching {
    const seconds = this.#plan.minutes * 60 + EVER_SECONDS
    const stem = join(this.#scratch, client)
    const plan = { binary: this.#binary, port: this.#site.port, connections, requests, stem }
    return watchLoad(plan, rate, seconds, (event) => {
      this.#incidents.push(incidentOf(client, event, requests))
    })
  }

  /** The same load over few connections first: what is left of the difference is of the connections. */
  async #openIdle(): Promise<{ load: Watching; cost: IdleCost }> {
    const { idle } = this.#plan
    const open = (count: number): Watching =>
      this.#load('idle', this.#requests.idle, count, idle / IDLE_SECONDS)
    this.#say(`opening ${idle} idle connections`)
    if (idle < LEAST_WEIGHED) {
      const load = open(idle)
      await sleep(ROUND_MS)
      return { load, cost: { connections: idle, kib: undefined } }
    }
    const warm = open(CONNECTIONS)
    await sleep(ROUND_MS)
    const before = nativeHeapKib(this.#site.dir)
    warm.stop()
    await warm.result
    const load = open(idle)
    await sleep(ROUND_MS)
    const kib = (nativeHeapKib(this.#site.dir) - before) / idle
    return { load, cost: { connections: idle, kib } }
  }

  async #disturbUntil(until: number): Promise<void> {
    const { disturbances, pause, rate } = this.#plan
    for (let i = 0; Date.now() < until; i++) {
      const left = until - Date.now()
      const name = disturbances[i % disturbances.length]
      await sleep(name === undefined ? left : Math.min(left, pause * 1000))
      if (name === undefined || Date.now() >= until) continue
      const times = Math.floor(i / disturbances.length)
      this.#say(`${name}`)
      await disturb(name, { site: this.#site, rate, times }, this.#disturbances)
      const problem = this.#disturbances.at(-1)?.problem
      if (problem !== undefined) this.#say(`${name} has failed: ${problem}`)
    }
  }

  #sample(): void {
    this.#samples.push(sampleMemory(this.#site.dir))
  }

  async #leftOver(): Promise<number> {
    const until = Date.now() + LEFT_MS
    const surplus = (): number => processesOf(this.#site.dir).uwas.length - 1 - this.#plan.workers
    while (surplus() > 0 && Date.now() < until) await sleep(500)
    return surplus()
  }
}

function incidentOf(
  client: Incident['client'],
  { status, bytes, ...event }: LoadEvent,
  requests: readonly WatchedRequest[],
): Incident {
  const asked = event.request < 0 ? undefined : requests[event.request % requests.length]
  const line = asked?.text.slice(0, asked.text.indexOf(' HTTP/')) ?? 'no request'
  const wanted = `${asked?.status} with ${asked?.bytes ?? 'some'} bytes`
  const came = status === 0 ? 'nothing came' : `${status} with ${bytes} bytes came, not ${wanted}`
  return { ...event, client, detail: asked === undefined ? line : `${line}: ${came}` }
}

/**
 * What a supervisor tells by its status listener: the metrics of all workers as one, whether the server can take requests,
 * and how its workers are. Made by `supervise.ts`.
 */
import type { MetricSamples } from '../observe/metrics/family.ts'
import { Registry } from '../observe/metrics/registry.ts'
import { Totals } from '../observe/metrics/totals.ts'
import type { Readiness, StatusFacts, StatusSource } from '../observe/status/listener.ts'
import { tellBuild } from './build-metrics.ts'
import type { Crew } from './crew.ts'
import { LocalMetrics } from './reports.ts'
import { type ServerStatus, workerStatuses } from './status.ts'
import type { WorkerProcess } from './worker-process.ts'

/** What is asked of the supervisor. */
export interface FactsHost {
  readonly crew: Crew
  readonly isStopping: boolean
  /** Another process serves in its place. */
  readonly hasLeft: boolean
  readonly reloads: number
}

/** A worker that stands still is told by what it said last. */
const METRICS_MS = 1000
/** Its checks have a time of their own, which is shorter. */
const READINESS_MS = 65_000

export class ServerFacts implements StatusSource {
  readonly #host: FactsHost
  readonly #status: () => ServerStatus
  readonly #totals: Totals
  readonly #own: LocalMetrics
  /** Whose last word has not come yet. */
  readonly #known: Set<WorkerProcess>

  constructor(host: FactsHost, version: string, status: () => ServerStatus) {
    this.#host = host
    this.#status = status
    this.#totals = new Totals()
    this.#known = new Set()
    const registry = new Registry()
    tellBuild(registry, version)
    measureCrew(registry, host)
    this.#own = new LocalMetrics([registry])
    host.crew.onSpawn = (worker) => this.#follow(worker)
  }

  async metrics(): Promise<MetricSamples[]> {
    await Promise.all(
      [...this.#known].map((worker) => worker.ask({ question: 'metrics' }, METRICS_MS)),
    )
    const { slots } = this.#host.crew
    const workers = [...this.#known].map((worker) => ({
      metrics: worker.metrics.samples(),
      worker: slots[worker.slot]?.worker === worker ? worker.slot + 1 : null,
    }))
    return this.#totals.sum([...workers, { metrics: this.#own.samples(), worker: null }])
  }

  /** One worker that can do its work is enough: connections reach it. */
  async readiness(): Promise<Readiness> {
    const { isStopping, hasLeft, crew } = this.#host
    // Who has come here just before, and asks just after, means the server, which goes on.
    if (hasLeft) return { status: 'ready', checks: {} }
    if (isStopping) return { status: 'draining', checks: {} }
    const workers = crew.slots.flatMap(({ ready }) => ready ?? [])
    if (workers.length === 0) return { status: 'starting', checks: {} }
    let failed: Readiness = { status: 'unready', checks: {} }
    const answers = workers.map(async (worker) => {
      const { readiness } = (await worker.ask({ question: 'readiness' }, READINESS_MS)) ?? {}
      if (readiness?.status === 'ready') return readiness
      if (readiness !== undefined) failed = readiness
      throw new Error('not ready')
    })
    return await Promise.any(answers).catch(() => failed)
  }

  async status(): Promise<StatusFacts> {
    return {
      ...this.#status(),
      workers: workerStatuses(this.#host.crew).map((worker) => ({ ...worker })),
    }
  }

  #follow(worker: WorkerProcess): void {
    this.#known.add(worker)
    void worker.gone.then(() => {
      this.#known.delete(worker)
      this.#totals.retire(worker.metrics.samples())
    })
  }
}

function measureCrew(registry: Registry, host: FactsHost): void {
  const workers = registry.gauge('uwas_workers', {
    help: 'Worker processes, by what they do.',
    labels: ['state'],
  })
  const restarts = registry.counter('uwas_worker_restarts_total', {
    help: 'Workers that another one has followed: it ended by itself, or had served enough.',
    labels: ['reason'],
  })
  const reloads = registry
    .counter('uwas_reloads_total', { help: 'Reloads that have come to a good end.' })
    .at()
  registry.onCollect(() => {
    const { crew } = host
    for (const state of ['starting', 'ready', 'stopping'] as const) {
      workers.at(state).set(crew.running.filter((worker) => worker.state === state).length)
    }
    restarts.at('crash').set(crew.restarts.crashed)
    restarts.at('replaced').set(crew.restarts.replaced)
    reloads.set(host.reloads)
  })
}
